// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The same elements under another shape.
  public func reshaped(_ shape: [Int]) -> Tensor {
    let view = Tensor(storage: storage, offset: offset, shape: shape)
    precondition(view.count == count, "shape \(self.shape) cannot become \(shape)")
    return view
  }

  /// The rows `range` of the first dimension.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= (shape.first ?? 0),
      "rows \(range) outside shape \(shape)")
    let width = shape.dropFirst().reduce(1, *)
    return Tensor(
      storage: storage, offset: offset + range.lowerBound * width,
      shape: [range.count] + shape.dropFirst())
  }

  /// Row `index` of the first dimension, without that dimension.
  public func row(_ index: Int) -> Tensor {
    rows(index..<index + 1).reshaped(Array(shape.dropFirst()))
  }

  /// The elements at the row-major positions `range`, as a tensor of one dimension.
  public func elements(_ range: Range<Int>) -> Tensor {
    reshaped([count]).rows(range)
  }

  /// An independent tensor with the same elements.
  public func copy() -> Tensor {
    let result = Tensor(shape: shape)
    result.copy(from: self)
    return result
  }

  /// Copies the elements of a tensor of the same count.
  public func copy(from other: Tensor) {
    precondition(other.count == count, "shape \(other.shape) does not fill \(shape)")
    pointer.update(from: other.pointer, count: count)
  }

  /// Copies the elements of an array of the same count.
  public func copy(from values: [Scalar]) {
    precondition(values.count == count, "\(values.count) values do not fill shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// Sets every element.
  @specialized(where Scalar == Float)
  public func fill(_ value: Scalar) {
    pointer.update(repeating: value, count: count)
  }
}
