// SPDX-License-Identifier: Apache-2.0

/// Named scratch tensors whose memory is kept from one training step to the next.
///
/// The activations of a long sequence take hundreds of megabytes, and fresh memory in each step
/// would cost a page fault per page. A name reuses its previous memory if that is large enough. The
/// content is unspecified.
public final class Workspace<Scalar: BitwiseCopyable> {
  private var storages: [String: TensorStorage<Scalar>] = [:]

  public init() {}

  /// A tensor of the given shape, valid until the same name is requested again. Debug builds trap
  /// if the previous tensor of this name is still held.
  public func tensor(_ name: String, _ shape: [Int]) -> Tensor<Scalar> {
    let count = shape.reduce(1, *)
    #if DEBUG
      // A tensor that another owner still holds would change.
      precondition(
        storages[name] == nil || isKnownUniquelyReferenced(&storages[name]),
        "the workspace name \(name) is asked for while its last tensor is in use")
    #endif
    if let storage = storages[name], storage.count >= count {
      return Tensor(storage: storage, offset: 0, shape: shape)
    }
    storages[name] = nil  // give the old memory back before taking the new
    let storage = TensorStorage<Scalar>(count: count)
    storages[name] = storage
    return Tensor(storage: storage, offset: 0, shape: shape)
  }

  /// Bytes held.
  public var bytes: Int {
    storages.values.reduce(0) { $0 + $1.count } * MemoryLayout<Scalar>.stride
  }
}
