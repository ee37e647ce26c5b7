// SPDX-License-Identifier: Apache-2.0

import BLAS
import Kernels
import RandomNumbers
import Tensors

/// A cell around memories; `HiPPO` and `LegendreMemoryUnit` have the equations. Shapes use M
/// channels, N coefficients of each, C inputs, H units.
struct MemoryCell<Scalar: KernelScalar>: RecurrentCell {
  enum Form { case hippo, unit, gatedUnit }

  /// How a step of the memory is computed.
  private enum Memory {
    case scan(LegendreMemory<Scalar>)
    case dense(DenseMemory<Scalar>)
  }

  private let form: Form
  private let inputs: Int
  private let hidden: Int
  private let channels: Int
  private let order: Int
  private let isScaled: Bool
  private let memory: Memory
  private let name: LayerName

  init(
    _ form: Form, _ measure: MemoryMeasure, _ discretization: Discretization, inputs: Int,
    hidden: Int, constants: MemoryConstants, named name: LayerName
  ) {
    self.form = form
    self.inputs = inputs
    self.hidden = hidden
    channels = constants.channels
    order = constants.order > 0 ? constants.order : hidden
    isScaled = measure == .scaledLegendre
    self.name = name
    if isScaled, constants.form == .scan, let share = discretization.newShare {
      memory = .scan(
        LegendreMemory(
          channels: channels, order: order, newShare: share,
          maximumSteps: constants.maximumSteps))
    } else {
      memory = .dense(DenseMemory(measure, discretization, order: order, constants: constants))
    }
  }

  private var isGated: Bool { form != .unit }
  /// Candidate and gate side by side.
  private var width: Int { isGated ? 2 * hidden : hidden }

  // MARK: What it has

  /// First the products for u, then those for h; each is a sum in one result.
  var products: [CellProduct] {
    let hasBias = form == .hippo
    let read = [
      CellProduct(
        name.of("weight_ux"), bias: hasBias ? name.of("bias_u") : nil, of: .input, width: channels),
      CellProduct(name.of("weight_uh"), bias: nil, of: .state(0), width: channels, addsTo: 0),
    ]
    let feedback = CellProduct(
      name.of("weight_um"), bias: nil, of: .state(1), width: channels, groups: channels, addsTo: 0)
    let first = toState
    let write = [
      CellProduct(
        name.of("weight_hx"), bias: hasBias ? name.of("bias_h") : nil, of: .input, width: width,
        stage: 1),
      CellProduct(
        name.of("weight_hm"), bias: nil, of: .updated(1), width: width, stage: 1, addsTo: first),
    ]
    let recurrent = CellProduct(
      name.of("weight_hh"), bias: nil, of: .state(0), width: width, stage: 1, addsTo: first)
    return form == .hippo ? read + write : read + [feedback] + write + [recurrent]
  }
  /// The first product for h.
  private var toState: Int { form == .hippo ? 2 : 3 }

  var vectors: [NamedShape] { [] }
  var states: [NamedShape] {
    let memory = [NamedShape("h", [hidden]), NamedShape("m", [channels, order])]
    return isScaled ? memory + [NamedShape("clock", [2], isCounter: true)] : memory
  }
  /// Candidate and gate after their activations.
  var tape: [NamedShape] { isGated ? [NamedShape("gates", [width])] : [] }
  private var isDense: Bool { if case .dense = memory { true } else { false } }

  /// Only a scan can take steps of different sizes in different rows.
  var readsTimes: Bool { !isDense }

  /// A matrix of a memory is multiplied forward and backward.
  var furtherOperations: Double { isDense ? 4 * Double(channels * order * order) : 0 }

  func furtherNumbers(steps T: Int) -> Double {
    if case .dense(let memory) = memory { memory.matrixNumbers(steps: T) } else { 0 }
  }

  func prepare() throws(LAPACKError) {
    if case .dense(let memory) = memory { try memory.prepare() }
  }

  // MARK: Start

  /// As in the authors' code: uniform in W_u, Xavier in the parts of the candidate, Kaiming in the
  /// gate, PyTorch's defaults in biases. A memory unit starts with W_ux = 1 and reads only the
  /// memory.
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    func weight(_ own: String) -> Tensor<Scalar> { parameters[name.of(own)] }
    let memories = channels * order
    let seen = inputs + memories + (form == .hippo ? 0 : hidden)
    func gate(_ own: String) {
      guard isGated else { return }
      Initialization.normal(
        weight(own).rows(hidden..<2 * hidden), deviation: 1 / Double(seen).squareRoot(),
        stream: &stream)
    }
    func candidate(_ own: String, from length: Int) {
      Initialization.normal(
        weight(own).rows(0..<hidden), deviation: (2 / Double(length + hidden)).squareRoot(),
        stream: &stream)
    }
    candidate("weight_hm", from: memories)
    gate("weight_hm")
    if form == .hippo {
      let bound = 1 / Double(inputs + hidden).squareRoot()
      for own in ["weight_ux", "weight_uh"] {
        Initialization.uniform(weight(own), bound: bound * 3.0.squareRoot(), stream: &stream)
      }
      candidate("weight_hx", from: inputs)
      Initialization.uniform(weight("bias_u"), bound: bound, stream: &stream)
      Initialization.uniform(
        weight("bias_h"), bound: 1 / Double(seen).squareRoot(), stream: &stream)
    } else {
      weight("weight_ux").fill(1)
      for own in ["weight_uh", "weight_um", "weight_hx", "weight_hh"] { weight(own).fill(0) }
      gate("weight_hh")
    }
    gate("weight_hx")
  }

  // MARK: Steps

  @specialized(where Scalar == Float)
  func step(_ s: CellStep<Scalar>) {
    if s.stage == 0 {
      let u = s.products[0]
      switch memory {
      case .scan(let memory):
        memory.advance(
          s.before[1], clock: s.before[2], input: u, times: s.times, into: s.after[1],
          clockAfter: s.after[2])
      case .dense(let memory):
        memory.advance(
          s.before[1], input: u, after: steps(s.before), into: s.after[1])
        if isScaled { advanceClock(s.before[2], into: s.after[2]) }
      }
      return
    }
    let z = s.products[toState]
    if isGated {
      Pointwise.apply(
        .gatedUpdate, columns: hidden, inputs: z.blocks(2, of: hidden) + [ColumnBlock(s.before[0])],
        outputs: [ColumnBlock(s.after[0])] + s.tape[0].blocks(2, of: hidden))
    } else {
      Pointwise.apply(
        .tanh, columns: hidden, inputs: [ColumnBlock(z)], outputs: [ColumnBlock(s.after[0])])
    }
  }

  @specialized(where Scalar == Float)
  func adjoint(_ s: CellAdjoint<Scalar>) {
    if s.stage == 1 {
      let dz = s.dProducts[toState]
      if isGated {
        Pointwise.apply(
          .gatedUpdateAdjoint, columns: hidden,
          inputs: [ColumnBlock(s.dAfter[0])] + s.tape[0].blocks(2, of: hidden) + [
            ColumnBlock(s.before[0])
          ],
          outputs: dz.blocks(2, of: hidden) + [ColumnBlock(s.dBefore[0])])
      } else {
        Pointwise.apply(
          .tanhAdjoint, columns: hidden,
          inputs: [ColumnBlock(s.dAfter[0]), ColumnBlock(s.after[0])], outputs: [ColumnBlock(dz)])
        s.dBefore[0].fill(0)
      }
      return
    }
    let du = s.dProducts[0]
    switch memory {
    case .scan(let memory):
      memory.advanceBackward(
        s.dAfter[1], clock: s.before[2], times: s.times, into: s.dBefore[1], input: du)
    case .dense(let memory):
      memory.advanceBackward(
        s.dAfter[1], after: steps(s.before), into: s.dBefore[1], input: du)
    }
    if isScaled { s.dBefore[2].fill(0) }
  }

  /// The steps of the sequences so far, which a product assumes to be the same in all rows.
  private func steps(_ states: [Tensor<Scalar>]) -> Int {
    guard isScaled else { return 0 }
    return states[2][0] == 0 ? 0 : Int(states[2][1]) + 1
  }

  private func advanceClock(_ before: Tensor<Scalar>, into after: Tensor<Scalar>) {
    for row in 0..<before.shape[0] {
      after[2 * row + 1] = before[2 * row] == 0 ? 0 : before[2 * row + 1] + 1
      after[2 * row] = 1
    }
  }
}
