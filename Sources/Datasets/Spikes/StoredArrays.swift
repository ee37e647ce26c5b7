// SPDX-License-Identifier: Apache-2.0

/// Arrays of numbers in a user's own file, by their names.
protocol StoredArrays {
  var path: String { get }
  /// The kind of file, for the user.
  var kind: String { get }
  /// The arrays with their extents, as the program that wrote them shows them.
  var arrays: [(name: String, shape: [Int])] { get }

  /// Reads an array of the list.
  func read(_ name: String) throws(DatasetError) -> StoredArray
}

extension StoredArrays {
  /// The extents of an array; nil if none has this name.
  func shape(of name: String) -> [Int]? { arrays.first { $0.name == name }?.shape }

  /// Reads a single number.
  func number(_ name: String) throws(DatasetError) -> Double? {
    guard let shape = shape(of: name), shape.allSatisfy({ $0 == 1 }) else { return nil }
    return try read(name).values.first.map { Double($0) }
  }
}

/// An array of numbers as it is stored in a file.
struct StoredArray {
  /// The extents, as the program that wrote it shows them.
  var shape: [Int]
  /// Whether the first index runs fastest, as in MATLAB, instead of the last.
  var isColumnMajor: Bool
  var values: [Float]

  /// The most numbers that a user's array may have.
  static let maximumCount = 1 << 28

  /// The numbers with the axes in another order and the last index running fastest.
  ///
  /// - Parameter order: which axis of the array becomes the first, the second ...
  func rowMajor(_ order: [Int]) -> (shape: [Int], values: [Float]) {
    Self.rowMajor(values, shape: shape, isColumnMajor: isColumnMajor, order)
  }

  /// Numbers of any type with the last index running fastest; see `rowMajor(_:)`.
  static func rowMajor<Number>(
    _ values: [Number], shape: [Int], isColumnMajor: Bool, _ order: [Int]
  ) -> (shape: [Int], values: [Number]) {
    precondition(order.sorted() == Array(shape.indices), "axes \(order) of \(shape)")
    var strides = [Int](repeating: 1, count: shape.count)
    if isColumnMajor {
      for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    } else {
      for axis in shape.indices.dropLast().reversed() {
        strides[axis] = strides[axis + 1] * shape[axis + 1]
      }
    }
    let (extents, steps) = (order.map { shape[$0] }, order.map { strides[$0] })
    if !isColumnMajor, order == Array(shape.indices) { return (extents, values) }
    var result: [Number] = []
    result.reserveCapacity(values.count)
    var index = [Int](repeating: 0, count: extents.count)
    var place = 0
    for _ in values.indices {
      result.append(values[place])
      for axis in extents.indices.reversed() {
        index[axis] += 1
        place += steps[axis]
        if index[axis] < extents[axis] { break }
        place -= extents[axis] * steps[axis]
        index[axis] = 0
      }
    }
    return (extents, result)
  }
}
