// SPDX-License-Identifier: Apache-2.0

/// A row-major array of numbers of fixed shape.
///
/// A tensor is a *view*: its copies, slices and reshapes share memory, so what is written through
/// one is seen through all. `copy()` makes an independent tensor. The letters of shapes are fixed:
/// T time steps, N sequences of a batch, C input features, H hidden units.
public struct Tensor<Scalar: BitwiseCopyable> {
  @usableFromInline let storage: TensorStorage<Scalar>
  @usableFromInline let offset: Int
  /// The extents, from the outermost in; empty for a single number.
  public let shape: [Int]

  /// The product of the shape.
  public let count: Int

  init(storage: TensorStorage<Scalar>, offset: Int, shape: [Int]) {
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.count = shape.reduce(1, *)
  }

  /// A tensor of zeros.
  public init(shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "shape \(shape) has a negative extent")
    self.init(storage: TensorStorage(count: shape.reduce(1, *)), offset: 0, shape: shape)
  }

  /// A tensor that holds a copy of `values`.
  public init(_ values: [Scalar], shape: [Int]? = nil) {
    self.init(shape: shape ?? [values.count])
    precondition(
      values.count == count, "\(values.count) values do not fill shape \(self.shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// The address of the first element, for kernels and wrappers only; other code uses spans.
  @inlinable
  public var pointer: UnsafeMutablePointer<Scalar> { storage.base + offset }

  /// The element at a row-major position.
  @inlinable
  public subscript(index: Int) -> Scalar {
    get {
      precondition(index >= 0 && index < count, "index \(index) outside \(count) elements")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "index \(index) outside \(count) elements")
      pointer[index] = newValue
    }
  }

  /// A copy of the elements in row-major order.
  public var array: [Scalar] {
    Array(UnsafeBufferPointer(start: pointer, count: count))
  }

  /// Lends the elements for reading.
  @inlinable
  public func withSpan<Result, Failure: Error>(
    _ body: (Span<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeBufferPointer(start: pointer, count: count).span)
  }

  /// Lends the elements for writing.
  @inlinable
  public func withMutableSpan<Result, Failure: Error>(
    _ body: (inout MutableSpan<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = UnsafeMutableBufferPointer(start: pointer, count: count).mutableSpan
    return try body(&span)
  }
}
