// SPDX-License-Identifier: Apache-2.0

import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// The constants of a cell whose input and states are maps.
public struct MapConstants: Sendable, Hashable {
  /// Y of the input.
  public var height = 1
  /// X of the input.
  public var width = 1
  /// K, places of a convolution's window in each direction.
  public var kernel = 3

  public init() {}
}

/// A cell whose input and states are maps [Y, X, ·] and whose products are zero-padded
/// convolutions. H counts channels.
protocol MapCell<Scalar>: RecurrentCell {
  var geometry: MapGeometry { get }
  /// The blocks of H of the first product whose bias starts at the gate bias.
  var forgetting: [Int] { get }
}

extension MapCell {
  var vectors: [NamedShape] { [] }
  var forgetting: [Int] { [] }

  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    MapGeometry.initialize(products, parameters, stream: &stream)
    for block in forgetting {
      parameters[products[0].bias!].elements(
        block * geometry.hidden..<(block + 1) * geometry.hidden
      ).fill(Scalar(gateBias))
    }
  }
}

/// Makes the cells of one kind on the maps of a layer.
protocol MapCellFamily: CellFamily {
  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar>
}

extension MapCellFamily {
  public var summary: String { "convolution" }
  public var readsMaps: Bool { true }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as type: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    cell(
      on: MapGeometry(inputs: inputs, hidden: hidden, constants: constants.map, named: name),
      as: type)
  }
}

/// The maps of a cell, and the names of its parameters.
struct MapGeometry {
  /// The shape of the input.
  let input: MapShape
  /// H
  let hidden: Int
  /// K
  let kernel: Int
  let name: LayerName

  /// - Parameter inputs: Y X C
  init(inputs: Int, hidden: Int, constants: MapConstants, named name: LayerName) {
    let places = constants.height * constants.width
    precondition(
      places > 0 && inputs % places == 0,
      "\(inputs) inputs do not make a map of \(constants.height) x \(constants.width)")
    input = MapShape(
      height: constants.height, width: constants.width, channels: inputs / places)
    self.hidden = hidden
    kernel = constants.kernel
    self.name = name
  }

  /// Y X
  var places: Int { input.places }

  /// A convolution of the input or of a map of H channels. The result has `blocks` times H channels.
  func product(
    _ weight: String, bias: String? = nil, of operand: CellProduct.Operand, blocks: Int = 1,
    stage: Int = 0
  ) -> CellProduct {
    CellProduct(
      name.of(weight), bias: bias.map { name.of($0) }, of: operand, width: blocks * hidden,
      stage: stage,
      windows: ImageWindows(
        of: operand == .input ? input : input.with(channels: hidden), kernel: kernel))
  }

  /// A map of H channels, or of some blocks of H.
  func map(_ name: String, blocks: Int = 1) -> NamedShape {
    NamedShape(name, input.with(channels: blocks * hidden).extents)
  }

  /// Weights normal with variance 1 / fan-in, TensorFlow's variance scaling; biases 0.
  static func initialize<Scalar: KernelScalar>(
    _ products: [CellProduct], _ parameters: ParameterBuffer<Scalar>, stream: inout RandomStream
  ) {
    for product in products {
      let weight = parameters[product.weight]
      let fan = Double(weight.count / product.width)
      Initialization.normal(weight, deviation: (1 / fan).squareRoot(), stream: &stream)
      if let bias = product.bias { parameters[bias].fill(0) }
    }
  }

  /// Rows of maps as rows of places, [N P, channels], cut into blocks of H channels.
  func blocks<Scalar: KernelScalar>(_ maps: Tensor<Scalar>) -> [ColumnBlock<Scalar>] {
    let rows = maps.shape[0] * places
    let width = rows > 0 ? maps.count / rows : hidden
    return maps.reshaped([rows, width]).blocks(width / hidden, of: hidden)
  }

  /// Maps of H channels.
  func block<Scalar: KernelScalar>(_ maps: Tensor<Scalar>) -> ColumnBlock<Scalar> {
    blocks(maps)[0]
  }

  /// Applies a formula to H channels of each place.
  func apply<Scalar: KernelScalar>(
    _ kind: PointwiseKind, _ inputs: [ColumnBlock<Scalar>], to outputs: [ColumnBlock<Scalar>]
  ) {
    Pointwise.apply(kind, columns: hidden, inputs: inputs, outputs: outputs)
  }

  /// Adds the second to the first, block by block.
  func add<Scalar: KernelScalar>(
    _ terms: [ColumnBlock<Scalar>], to sums: [ColumnBlock<Scalar>]
  ) {
    for (sum, term) in zip(sums, terms) { apply(.sum, [sum, term], to: [sum]) }
  }
}
