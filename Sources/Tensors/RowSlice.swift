// SPDX-License-Identifier: Apache-2.0

/// One of n parts of every tensor: consecutive rows, with parts as even as possible.
///
/// Part i of n has the rows E·i/n ..< E·(i+1)/n of a tensor whose first extent is E. If a tensor
/// has fewer than n rows, some parts are empty.
public struct RowSlice: Sendable, Hashable {
  /// i, from 0.
  public let part: Int
  /// n.
  public let parts: Int

  public init(_ part: Int, of parts: Int) {
    precondition(part >= 0 && part < parts, "part \(part) of \(parts)")
    self.part = part
    self.parts = parts
  }

  /// All rows.
  public static let whole = RowSlice(0, of: 1)

  /// Whether it has all rows of every tensor.
  public var isWhole: Bool { parts == 1 }

  /// The part's rows of a tensor of this shape. A tensor without extents counts as a single row.
  public func rows(of shape: [Int]) -> Range<Int> {
    let extent = shape.first ?? 1
    return extent * part / parts..<extent * (part + 1) / parts
  }

  /// The part's elements of a parameter, as a range of the flat buffer of all parameters.
  public func elements(of entry: ParameterEntry) -> Range<Int> {
    let width = entry.shape.dropFirst().reduce(1, *)
    let (rows, start) = (rows(of: entry.shape), entry.range.lowerBound)
    return start + rows.lowerBound * width..<start + rows.upperBound * width
  }
}

extension ParameterLayout {
  /// The layout of a part's slice of each parameter.
  public func slice(_ slice: RowSlice) -> ParameterLayout {
    if slice.isWhole { return self }
    var layout = ParameterLayout()
    for entry in entries {
      layout.add(
        entry.name, shape: [slice.rows(of: entry.shape).count] + entry.shape.dropFirst(),
        role: entry.role)
    }
    return layout
  }
}
