// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// The numbers whose mean and variance a norm uses.
public enum Normalization: String, Sendable, Hashable, CaseIterable {
  /// Nothing is normalised.
  case none
  /// The units of the current step (Ba, Kiros and Hinton, 2016).
  case layer
  /// The units of the last k steps together (Pospisil, Zadorozhnyy and Ye, 2022); k = 1 is `layer`.
  case assortedTime = "assorted_time"

  /// The text of `momentum-dist cells` for a cell with such norms.
  var summary: String {
    switch self {
    case .none: "unrolled"
    case .layer: "layer norm"
    case .assortedTime: "assorted-time norm"
    }
  }
}

/// One norm of a cell: its gain and shift among the cell's vectors, its part of the cell's tape,
/// and its window among the cell's states.
///
/// ATN(k) over D units: with z_t and the k - 1 pre-activations before it (fewer at the start of a
/// window), with m and v their mean and biased variance over all units and steps,
///
///     y_t = (z_t - m) / √(v + 1e-5) · gain + shift
///
/// For an earlier z, m and v need only its own mean and M2 = Σ (z - mean)², so a window is 2 (k -
/// 1) numbers of a row and the number of those in use. ATN(1) is layer normalisation, without a
/// window.
struct CellNorm<Scalar: KernelScalar> {
  private let width: Int
  private let window: Int
  private let ending: String
  private let name: LayerName
  /// Its place among the cell's norms, and that of its window among the cell's states.
  private let place: Int
  private let state: Int

  /// - Parameters:
  ///   - ending: the suffix of its names among the cell's norms, such as "_ih"
  ///   - width: D
  ///   - window: k
  ///   - place: the number of the cell's norms before it; their windows come first too
  ///   - states: the number of the cell's states before all windows
  init(
    _ ending: String, width: Int, window: Int, place: Int, states: Int, named name: LayerName
  ) {
    self.width = width
    self.window = window
    self.ending = ending
    self.name = name
    self.place = place
    state = states + place
  }

  /// Gain and shift, [D] each.
  var vectors: [NamedShape] {
    ["gain", "shift"].map { NamedShape(name.of("\($0)\(ending)"), [width]) }
  }

  /// Sets the start of gain and shift.
  func initialize(_ parameters: ParameterBuffer<Scalar>) {
    for (vector, value) in zip(vectors, [1, 0]) { parameters[vector.name].fill(Scalar(value)) }
  }

  /// (z - m) / √(v + 1e-5), and 1 / √(v + 1e-5).
  var tape: [NamedShape] {
    [
      NamedShape("normalised\(ending)", [width]), NamedShape("inverse_deviation\(ending)", [1]),
    ]
  }

  /// The window, if k is more than 1.
  var states: [NamedShape] {
    let columns = LayerNormalization.Window<Scalar>.columns(length: window - 1)
    return window > 1 ? [NamedShape("window\(ending)", [columns])] : []
  }

  /// y may share the memory of z, unless it is added to.
  func forward(
    _ z: Tensor<Scalar>, into y: Tensor<Scalar>, isAdding: Bool = false, _ s: CellStep<Scalar>
  ) {
    LayerNormalization.forward(
      ColumnBlock(z), gain: s.vectors[2 * place], shift: s.vectors[2 * place + 1],
      into: ColumnBlock(y), isAdding: isAdding, normalised: ColumnBlock(s.tape[2 * place]),
      inverseDeviation: ColumnBlock(s.tape[2 * place + 1]), isStreaming: s.isTapeLarge,
      window: window(s.before, s.after))
  }

  /// Also writes the gradient of the window before the step. dz may share the memory of dy.
  func backward(_ dy: Tensor<Scalar>, into dz: Tensor<Scalar>, _ s: CellAdjoint<Scalar>) {
    LayerNormalization.backward(
      ColumnBlock(dy), normalised: ColumnBlock(s.tape[2 * place]),
      inverseDeviation: ColumnBlock(s.tape[2 * place + 1]), gain: s.vectors[2 * place],
      into: ColumnBlock(dz), dGain: ColumnBlock(s.dVectors[2 * place]),
      dShift: ColumnBlock(s.dVectors[2 * place + 1]), groupStarts: s.groupStarts,
      window: window(s.before, s.after).flatMap { values in
        window(s.dBefore, s.dAfter).map { (values, $0) }
      })
  }

  private func window(
    _ before: [Tensor<Scalar>], _ after: [Tensor<Scalar>]
  ) -> LayerNormalization.Window<Scalar>? {
    guard window > 1 else { return nil }
    return LayerNormalization.Window(
      length: window - 1, before: before[state], after: after[state])
  }
}

/// A cell with norms.
protocol NormalizedCell<Scalar>: RecurrentCell {
  /// In the order of their windows.
  var norms: [CellNorm<Scalar>] { get }
  var carriesWindows: Bool { get }
  var name: LayerName { get }
}

extension NormalizedCell {
  /// The start of the authors' gated cells: W_ih orthogonal, the identity in each block of W_hh,
  /// biases and shifts 0, gains 1.
  func initialize(
    _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
  ) {
    Initialization.orthogonal(parameters[name.of("weight_ih")], stream: &stream)
    Initialization.identityBlocks(parameters[name.of("weight_hh")])
    for bias in ["bias_ih", "bias_hh"] { parameters[name.of(bias)].fill(0) }
    for norm in norms { norm.initialize(parameters) }
  }

  /// The windows, unless they are carried: as in the paper they start empty in every pass.
  var restartingStates: Set<String> {
    carriesWindows ? [] : Set(norms.flatMap(\.states).map(\.name))
  }
}
