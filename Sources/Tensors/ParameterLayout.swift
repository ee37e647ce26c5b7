// SPDX-License-Identifier: Apache-2.0

/// The role of a parameter in its model, for code that treats some parameters differently.
public enum ParameterRole: Sendable, Hashable, CaseIterable {
  /// A matrix that multiplies, or a vector with none of the other roles.
  case weight
  /// A vector that is added to a product.
  case bias
  /// The skew-symmetric matrix A of an orthogonal matrix, trained only above the diagonal.
  case skewMatrix
  /// A row of numbers for each token.
  case embedding
  /// Weight and bias of the last map, from states to predictions.
  case readOut
}

/// The name, shape and place of one parameter in a flat buffer.
public struct ParameterEntry: Sendable, Hashable {
  /// The PyTorch-style name under which checkpoints store it, such as `rnn.weight_ih_l0`.
  public let name: String
  /// The extents, from the outermost in.
  public let shape: [Int]
  /// The elements it occupies.
  public let range: Range<Int>
  /// Its role in the model.
  public let role: ParameterRole
}

/// The parameters of a model, in order, stored one after the other in a single allocation.
///
/// Saving, zeroing, reduction over ranks and the optimizer step are then each one pass over one
/// buffer.
public struct ParameterLayout: Sendable, Hashable {
  /// The parameters in order.
  public private(set) var entries: [ParameterEntry] = []
  /// P, the number of scalars in all parameters.
  public private(set) var count = 0

  public init() {}

  /// Appends a parameter.
  public mutating func add(_ name: String, shape: [Int], role: ParameterRole = .weight) {
    precondition(self[name] == nil, "parameter \(name) is declared twice")
    let size = shape.reduce(1, *)
    entries.append(
      ParameterEntry(name: name, shape: shape, range: count..<count + size, role: role))
    count += size
  }

  /// The entry with this name.
  public subscript(name: String) -> ParameterEntry? {
    entries.first { $0.name == name }
  }
}

/// A flat buffer seen through a layout: parameters, gradients or an optimizer's state.
public struct ParameterBuffer<Scalar: BitwiseCopyable> {
  /// The parameters and their places.
  public let layout: ParameterLayout
  /// All numbers, [P].
  public let flat: Tensor<Scalar>

  /// A buffer of zeros.
  public init(_ layout: ParameterLayout) {
    self.init(layout, over: Tensor(shape: [layout.count]))
  }

  /// A view of `flat`, whose count must be that of the layout.
  public init(_ layout: ParameterLayout, over flat: Tensor<Scalar>) {
    precondition(
      flat.count == layout.count, "\(flat.count) elements under a layout of \(layout.count)")
    self.layout = layout
    self.flat = flat
  }

  /// A view of the parameter with this name.
  public subscript(name: String) -> Tensor<Scalar> {
    guard let entry = layout[name] else {
      preconditionFailure("no parameter \(name); there are \(layout.entries.map(\.name))")
    }
    return self[entry]
  }

  /// A view of the parameter of this entry.
  public subscript(entry: ParameterEntry) -> Tensor<Scalar> {
    flat.elements(entry.range).reshaped(entry.shape)
  }
}
