// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// The input of an encoder's first layer: the embedded steps, with their positions.
///
///     e_t = √D embed(x_t) + position_t
///
/// A table has a row for each count from 0 to the largest, and one for all larger counts.
struct EncoderInput {
  let settings: TransformerSettings
  /// C.
  let inputs: Int
  /// D.
  let width: Int
  private let linear: AffineMap
  private let table: NamedShape
  private let positions: NamedShape

  init(_ settings: TransformerSettings, _ prefix: String, inputs C: Int, width D: Int) {
    self.settings = settings
    (inputs, width) = (C, D)
    linear = AffineMap("\(prefix)embedding.*", inputs: C, outputs: D)
    table = NamedShape(
      "\(prefix)embedding.weight", [settings.maximumCount + 2, settings.embeddingSize],
      role: .embedding)
    positions = NamedShape(
      "\(prefix)position.weight", [settings.maximumSteps, D], role: .embedding)
  }

  /// The affine map of the inputs, if they have one.
  var map: AffineMap? { settings.embedding == .linear ? linear : nil }

  var parameters: [NamedShape] {
    let embedding =
      switch settings.embedding {
      case .raw: [] as [NamedShape]
      case .table: [table]
      case .linear: [linear.weight, linear.bias]
      }
    return embedding + (settings.position == .learned ? [positions] : [])
  }

  /// Tables start uniform in ±0.1, as in the authors' code; positions standard normal, as in
  /// PyTorch.
  func initialize<Scalar: KernelScalar>(
    _ parameters: ParameterBuffer<Scalar>, stream: inout RandomStream
  ) {
    switch settings.embedding {
    case .raw: break
    case .table: Initialization.uniform(parameters[table.name], bound: 0.1, stream: &stream)
    case .linear: linear.initialize(parameters, stream: &stream)
    }
    if settings.position == .learned {
      Initialization.normal(parameters[positions.name], deviation: 1, stream: &stream)
    }
  }

  /// The positions of the steps `steps`, [T, D].
  fileprivate func positions<Scalar: KernelScalar>(
    _ steps: Range<Int>, _ parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> {
    guard settings.position == .sinusoidal else {
      precondition(
        steps.upperBound <= settings.maximumSteps,
        "\(steps.upperBound) steps for \(settings.maximumSteps) learned positions")
      return parameters[positions.name].rows(steps)
    }
    let rows = Tensor<Scalar>(shape: [steps.count, width])
    for (row, step) in steps.enumerated() {
      for column in 0..<width {
        let angle = Double(step + 1) * pow(10_000, -Double(column & ~1) / Double(width))
        rows[row * width + column] = Scalar(column & 1 == 0 ? sin(angle) : cos(angle))
      }
    }
    return rows
  }

  /// The gradient of the positions in a shard's buffer; nil if they are not trained.
  fileprivate func gradient<Scalar: KernelScalar>(
    of steps: Range<Int>, in buffer: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar>? {
    settings.position == .learned ? buffer[positions.name].rows(steps) : nil
  }

  fileprivate func tableGradient<Scalar: KernelScalar>(
    in buffer: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> { buffer[table.name] }

  fileprivate func table<Scalar: KernelScalar>(
    of parameters: ParameterBuffer<Scalar>
  ) -> Tensor<Scalar> { parameters[table.name] }

  /// The row of the table for a number.
  fileprivate func row<Scalar: KernelScalar>(of count: Scalar) -> Int32 {
    let last = settings.maximumCount + 1
    return count > 0 ? Int32(min(count.rounded(), Scalar(last))) : 0
  }
}

extension AffineMap {
  /// PyTorch's default: weight and bias uniform in ±1/√K.
  func initialize<Scalar: KernelScalar>(
    _ parameters: ParameterBuffer<Scalar>, stream: inout RandomStream
  ) {
    let bound = 1 / Double(inputs).squareRoot()
    Initialization.uniform(parameters[weight.name], bound: bound, stream: &stream)
    Initialization.uniform(parameters[bias.name], bound: bound, stream: &stream)
  }
}

/// The embedding of a pass.
struct EncoderInputPass<Scalar: KernelScalar> {
  private let input: EncoderInput
  private let map: AffinePass<Scalar>?
  /// x as rows of [N·T, C].
  private let values: Tensor<Scalar>
  /// Rows of the table, [N·T·C].
  private let counts: [Int32]
  private let steps: Range<Int>
  private let factors: Tensor<Scalar>?
  /// e [N·T, D]
  let output: Tensor<Scalar>

  /// - Parameters:
  ///   - values: x [N·T, C]
  ///   - firstStep: the number of steps before these
  init(
    _ input: EncoderInput, _ values: Tensor<Scalar>, firstStep: Int, map: AffinePass<Scalar>?,
    _ context: EncoderContext<Scalar>
  ) {
    (self.input, self.map, self.values) = (input, map, values)
    let (R, C, D, T) = (values.shape[0], input.inputs, input.width, context.attention.steps)
    steps = firstStep..<firstStep + T
    output = context.memory.tensor("embedded", [R, D])
    switch input.settings.embedding {
    case .raw:
      counts = []
      output.copy(from: values)
    case .table:
      counts = values.withSpan { x in x.indices.map { input.row(of: x[$0]) } }
      output.reshaped([R * C, input.settings.embeddingSize])
        .gather(counts, of: input.table(of: context.parameters), factors: nil)
    case .linear:
      counts = []
      map!.forward(values, context.parameters, into: output)
    }
    output.multiply(by: Scalar(D).squareRoot())
    output.addToEachRow(input.positions(steps, context.parameters).reshaped([T * D]))
    factors = context.factors(
      "input_factors", dropping: input.settings.inputDropout, site: EncoderSite.input,
      shape: [R / T, T * D])
    if let factors { output.setProduct(of: output, repeating: factors) }
  }

  /// Adds the gradients of the parameters, and returns that of x [N·T, C] if it is needed. It
  /// overwrites d [N·T, D].
  ///
  /// - Returns: the gradient of x, zero for counts in a table; nil if it is not needed
  func backward(
    _ d: Tensor<Scalar>, into gradients: ShardedBuffer<Scalar>, wantsInput: Bool,
    _ context: EncoderContext<Scalar>
  ) -> Tensor<Scalar>? {
    if let factors { d.setProduct(of: d, repeating: factors) }
    let (C, D) = (input.inputs, input.width)
    context.shards.forEach { shard, rows in
      input.gradient(of: steps, in: gradients[shard])?.reshaped([steps.count * D])
        .addColumnSums(of: d.rows(rows))
    }
    d.multiply(by: Scalar(D).squareRoot())
    let dx = wantsInput ? context.memory.tensor("dx", values.shape) : nil
    switch input.settings.embedding {
    case .raw: dx?.copy(from: d)
    case .table:
      let cells = d.reshaped([d.shape[0] * C, input.settings.embeddingSize])
      context.shards.forEach { shard, rows in
        cells.scatterAdd(
          counts, at: rows.lowerBound * C..<rows.upperBound * C,
          to: input.tableGradient(in: gradients[shard]), factors: nil)
      }
      dx?.fill(0)
    case .linear:
      map!.backward(d, x: values, shards: context.shards, into: gradients, dx: dx)
    }
    return dx
  }
}
