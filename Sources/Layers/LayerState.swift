// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The state that a layer carries from one time step to the next, by name, in the order of the
/// layer's `states`. Each member is [N] and the shape of one row.
public struct LayerState<Scalar: KernelScalar> {
  /// The members, each with its name.
  public let named: [(name: String, tensor: Tensor<Scalar>)]

  public init(_ named: [(name: String, tensor: Tensor<Scalar>)]) {
    self.named = named
  }

  /// The member with this name; nil if there is none.
  public subscript(name: String) -> Tensor<Scalar>? {
    named.first { $0.name == name }?.tensor
  }

  /// The member at a place; the first is the layer's output.
  public subscript(index: Int) -> Tensor<Scalar> { named[index].tensor }

  /// A view of the state of some rows.
  public func rows(_ range: Range<Int>) -> LayerState {
    LayerState(named.map { ($0.name, $0.tensor.rows(range)) })
  }

  /// A copy of the same numbers.
  public func copied() -> LayerState {
    LayerState(named.map { ($0.name, $0.tensor.copy()) })
  }

  /// Copies the numbers of a state of the same layer.
  public func copy(from other: LayerState) {
    precondition(other.named.map(\.name) == named.map(\.name), "states of two kinds of layers")
    for (mine, theirs) in zip(named, other.named) { mine.tensor.copy(from: theirs.tensor) }
  }

  /// Sets every number to 0.
  public func clear() {
    for member in named { member.tensor.fill(0) }
  }
}

extension LayerState {
  /// The state of a fused layer, under the names h, c, v and s.
  init(_ state: RecurrentState<Scalar>) { self.init(state.named) }

  /// The same memory in the form that the kernels of a fused layer use.
  var recurrent: RecurrentState<Scalar> {
    guard let hidden = self["h"] else { preconditionFailure("the state has no h") }
    return RecurrentState(
      hidden: hidden, cell: self["c"], velocity: self["v"], secondMoment: self["s"])
  }
}
