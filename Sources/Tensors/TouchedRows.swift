// SPDX-License-Identifier: Apache-2.0

/// The rows of a parameter whose gradient in a step may differ from zero.
///
/// A language model looks up only a few words in a step. The gradient of the embedding is zero in
/// the rows of all other words, unless the decoder shares the weight.
public struct TouchedRows: Sendable {
  /// The parameter, [rows, width]. It is the first of its layout, so a backward pass reaches it
  /// last.
  public let entry: ParameterEntry
  /// A bit for each row, from the lowest bit of the first word on.
  public private(set) var words: [UInt64]

  /// - Parameters:
  ///   - entry: the parameter
  ///   - rows: the touched rows, in any order; they may repeat
  public init(_ entry: ParameterEntry, rows: some Sequence<Int>) {
    precondition(
      entry.range.lowerBound == 0 && entry.shape.count == 2,
      "\(entry.name) is not the matrix that its layout starts with")
    self.entry = entry
    words = Array(repeating: 0, count: (entry.shape[0] + 63) / 64)
    for row in rows { words[row / 64] |= 1 << UInt64(row % 64) }
  }

  /// The same parameter with other rows.
  public init(_ entry: ParameterEntry, words: [UInt64]) {
    self.init(entry, rows: [])
    precondition(words.count == self.words.count, "\(words.count) words for \(entry.shape[0]) rows")
    self.words = words
  }

  /// The rows in order, each once.
  public var rows: [Int] {
    words.indices.flatMap { index in
      (0..<64).filter { words[index] >> UInt64($0) & 1 == 1 }.map { 64 * index + $0 }
    }
  }

  /// The length of a row.
  public var width: Int { entry.shape[1] }
}
