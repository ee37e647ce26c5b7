// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Tensors

/// The state that a recurrent layer carries from one time step to the next.
///
/// Members that the system does not have are nil.
public struct RecurrentState<Scalar: KernelScalar> {
  /// h [N, H].
  public var hidden: Tensor<Scalar>
  /// c [N, H].
  public var cell: Tensor<Scalar>?
  /// v [N, G·H].
  public var velocity: Tensor<Scalar>?
  /// q [N, G·H].
  public var secondMoment: Tensor<Scalar>?

  public init(
    hidden: Tensor<Scalar>, cell: Tensor<Scalar>? = nil, velocity: Tensor<Scalar>? = nil,
    secondMoment: Tensor<Scalar>? = nil
  ) {
    self.hidden = hidden
    self.cell = cell
    self.velocity = velocity
    self.secondMoment = secondMoment
  }

  /// The zero state of a layer, from which every sequence starts.
  public init(zerosFor geometry: LayerGeometry) {
    let (N, H, GH) = (geometry.rows, geometry.hidden, geometry.gateWidth)
    hidden = Tensor(shape: [N, H])
    cell = geometry.body.hasCell ? Tensor(shape: [N, H]) : nil
    velocity = geometry.drive.hasVelocity ? Tensor(shape: [N, GH]) : nil
    secondMoment = geometry.drive.hasSecondMoment ? Tensor(shape: [N, GH]) : nil
  }

  /// The members under their names in fixtures and checkpoints.
  public var named: [(name: String, tensor: Tensor<Scalar>)] {
    var result = [(name: "h", tensor: hidden)]
    if let cell { result.append(("c", cell)) }
    if let velocity { result.append(("v", velocity)) }
    if let secondMoment { result.append(("s", secondMoment)) }
    return result
  }

  /// A view of the state of some rows.
  public func rows(_ range: Range<Int>) -> RecurrentState {
    var part = self
    part.hidden = hidden.rows(range)
    part.cell = cell?.rows(range)
    part.velocity = velocity?.rows(range)
    part.secondMoment = secondMoment?.rows(range)
    return part
  }

  var pointers: StatePointers<Scalar> {
    StatePointers(
      hidden: UnsafePointer(hidden.pointer), cell: cell.map { UnsafePointer($0.pointer) },
      velocity: velocity.map { UnsafePointer($0.pointer) },
      secondMoment: secondMoment.map { UnsafePointer($0.pointer) })
  }

  var mutablePointers: MutableStatePointers<Scalar> {
    MutableStatePointers(
      hidden: hidden.pointer, cell: cell?.pointer, velocity: velocity?.pointer,
      secondMoment: secondMoment?.pointer)
  }
}
