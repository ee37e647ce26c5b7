import Tensors

extension Tensor {
  /// Fills this matrix with rows of another tensor, seen as rows of `width` elements.
  public func gatherRows(_ rows: [Int], of source: Tensor, width: Int) {
    precondition(count == rows.count * width, "\(rows.count) rows of \(width) for \(shape)")
    for (place, row) in rows.enumerated() {
      precondition(row >= 0 && (row + 1) * width <= source.count, "row \(row) of \(source.shape)")
      (pointer + place * width).update(from: source.pointer + row * width, count: width)
    }
  }

  /// Writes the rows of a matrix to places in this tensor, seen as rows of `width` elements.
  public func scatterRows(_ source: Tensor, to rows: [Int], width: Int) {
    precondition(
      source.count == rows.count * width, "\(rows.count) rows of \(width) from \(source.shape)")
    for (place, row) in rows.enumerated() {
      precondition(row >= 0 && (row + 1) * width <= count, "row \(row) of \(shape)")
      (pointer + row * width).update(from: source.pointer + place * width, count: width)
    }
  }
}
