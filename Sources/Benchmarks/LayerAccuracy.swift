// SPDX-License-Identifier: Apache-2.0

import Layers
import Foundation
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// The measured errors of one cell's layer on one variant against the scalar reference in Double.
public struct LayerAccuracy: AccuracyResult {
  /// The cell.
  public let system: String
  /// The kernels that computed the layer.
  public let kernels: String
  /// The worst ‖a - b‖ / ‖b‖ over outputs and gradients.
  public let worstError: Double
  /// The tensor of the worst error.
  public let worstTensor: String
  /// The largest error that passes.
  public let limit: Double

  public var passes: Bool { worstError <= limit }

  public var description: String {
    "\(system) \(kernels)".padding(toLength: 28, withPad: " ", startingAt: 0)
      + String(
        format: "at most %.2e of the norm, of %@ (limit %.0e)  %@", worstError, worstTensor,
        limit, passes ? "ok" : "BEYOND THE LIMIT")
  }

  /// Measures each cell on each variant that this processor runs.
  public static func measureAll(_ add: (LayerAccuracy) throws -> Void) throws {
    for system in RecurrentSystem.all {
      let cases = try [(1, 20), (17, 33)].map { inputs, hidden in
        try LayerAccuracyCase(system, inputs: inputs, hidden: hidden)
      }
      let exact = try cases.map {
        try $0.run(on: .reference) as [LayerAccuracyCase.Named<Double>]
      }
      for variant in KernelBackend.supported {
        var (worst, name) = (0.0, "none")
        for (index, aCase) in cases.enumerated() {
          let computed: [LayerAccuracyCase.Named<Float>] = try aCase.run(on: variant)
          for (a, b) in zip(computed, exact[index]) {
            let error = relativeError(a.tensor, b.tensor)
            if error >= worst { (worst, name) = (error, b.name) }
          }
        }
        try add(
          LayerAccuracy(
            system: system.name, kernels: variant.name, worstError: worst, worstTensor: name,
            limit: 1e-5))
      }
    }
  }

  /// ‖a - b‖ / ‖b‖; infinite if a number is not finite.
  static func relativeError(_ a: Tensor<Float>, _ b: Tensor<Double>) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (a, b) in zip(a.array, b.array) {
      difference += (Double(a) - b) * (Double(a) - b)
      norm += b * b
    }
    let error = norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
    return error.isFinite ? error : .infinity
  }
}

/// One layer with random Floats for all its inputs, which any scalar type can run.
struct LayerAccuracyCase {
  typealias Named<Scalar: KernelScalar> = (name: String, tensor: Tensor<Scalar>)

  private static let (steps, rows) = (19, 13)
  /// The maps of a cell on maps, with windows of 3 x 3.
  private static let map = (height: 2, width: 3)
  private let system: RecurrentSystem
  private let (inputs, hidden): (Int, Int)
  private let layer: any SequenceLayer<Float>
  private let parameters: ParameterBuffer<Float>

  init(_ system: RecurrentSystem, inputs: Int, hidden: Int) throws {
    self.system = system
    let channels = system.addsInput ? hidden : inputs
    self.inputs = system.readsMaps ? Self.map.height * Self.map.width * channels : inputs
    self.hidden = hidden
    layer = Self.layer(system, inputs: self.inputs, hidden: hidden)
    var layout = ParameterLayout()
    layer.declare(in: &layout)
    parameters = ParameterBuffer(layout)
    var stream = RandomStream(seed: 1, purpose: .benchmark)
    Initialization.uniform(
      parameters.flat.reshaped([1, layout.count]),
      bound: 1 / Double(system.readsMaps ? 9 * hidden : hidden).squareRoot(),
      stream: &stream)
    try layer.prepare(parameters, advancing: true)
  }

  private static func layer<Scalar: KernelScalar>(
    _ system: RecurrentSystem, inputs: Int, hidden: Int
  ) -> any SequenceLayer<Scalar> {
    var constants = CellConstants(mu: 0.6, epsilon: 0.8, beta: 0.7, restart: 3, window: 5)
    (constants.map.height, constants.map.width) = map
    return LayerSpecification(
      system.layers(constants), hidden: hidden
    ).layer(inputs: inputs, named: LayerName(prefix: "", suffix: "_l0"))
  }

  /// Runs forward and backward: outputs, the gradient of each weight and of the input.
  func run<Scalar: KernelScalar>(on variant: KernelBackend) throws -> [Named<Scalar>] {
    try variant.run {
      let layer: any SequenceLayer<Scalar> = Self.layer(system, inputs: inputs, hidden: hidden)
      let layout = parameters.layout
      // The weights as Floats have them, so that only the arithmetic differs.
      let own = ParameterBuffer<Scalar>(layout)
      own.flat.copy(from: parameters.flat.array.map { Scalar($0) })
      for (mine, theirs) in zip(layer.buffers, self.layer.buffers) {
        mine.tensor.copy(from: theirs.tensor.array.map { Scalar($0) })
      }
      try layer.prepare(own, advancing: false)
      var stream = RandomStream(seed: 2, purpose: .benchmark)
      func random(_ shape: [Int]) -> Tensor<Scalar> {
        let values = (0..<shape.reduce(1, *)).map { _ in Scalar(Float(2 * stream.uniform() - 1)) }
        return Tensor(values, shape: shape)
      }
      let x = random([Self.steps, Self.rows, inputs])
      let dy = random([Self.steps, Self.rows] + layer.features)
      let initial = layer.startState(rows: Self.rows)
      // From zero on, the derivative of Adam's quotient is too ill-conditioned for Float.
      initial["s"]?.fill(0.5)
      let pass = layer.forward(
        SequenceInput(x), from: initial, own, keeping: .activations, in: Workspace())
      let gradients = ShardedBuffer<Scalar>(layout, shards: 1)
      let dx = pass.backward(
        OutputGradient(steps: dy), into: gradients, wantsInput: true, initial: nil)!
      let sums = ParameterBuffer(layout, over: gradients[0].flat)
      return [("h", pass.output), ("dx", dx)]
        + layout.entries.map { ("d\($0.name)", sums[$0.name]) }
    }
  }
}
