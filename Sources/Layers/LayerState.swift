import Kernels
import Tensors

/// What a layer carries from one time step to the next, by name, in the order of the layer's
/// `states`. Each member is [N] and the shape of one row.
public struct LayerState<Scalar: KernelScalar> {
  public let named: [(name: String, tensor: Tensor<Scalar>)]

  public init(_ named: [(name: String, tensor: Tensor<Scalar>)]) {
    self.named = named
  }

  /// The member of that name; nil if the layer has none.
  public subscript(name: String) -> Tensor<Scalar>? {
    named.first { $0.name == name }?.tensor
  }

  /// The member at a place; the first is what the layer gives out.
  public subscript(index: Int) -> Tensor<Scalar> { named[index].tensor }

  /// A view of the state of some rows.
  public func rows(_ range: Range<Int>) -> LayerState {
    LayerState(named.map { ($0.name, $0.tensor.rows(range)) })
  }

  /// The same numbers in memory of their own.
  public func copied() -> LayerState {
    LayerState(named.map { ($0.name, $0.tensor.copy()) })
  }

  /// Takes over the numbers of a state of the same layer.
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

  /// The same memory as the kernels of a fused layer take it.
  var recurrent: RecurrentState<Scalar> {
    guard let hidden = self["h"] else { preconditionFailure("the state has no h") }
    return RecurrentState(
      hidden: hidden, cell: self["c"], velocity: self["v"], secondMoment: self["s"])
  }
}
