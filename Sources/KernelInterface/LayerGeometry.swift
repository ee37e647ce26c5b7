// SPDX-License-Identifier: Apache-2.0

/// The cell body that turns drive and recurrent term into the next state.
///
/// Each case has its equations in one file of `Kernels/Formulas/Bodies`.
public enum BodyKind: String, Sendable, Hashable, CaseIterable {
  /// The simple recurrent cell (Elman, 1990).
  case tanh
  /// Long short-term memory with a forget gate (Gers et al., 2000).
  case lstm
  /// The gated recurrent unit (Cho et al., 2014) in PyTorch's form.
  case gru
  /// The cell of orthogonal networks (Arjovsky et al., 2016).
  case modReLU

  /// G, the number of blocks of H rows in the weights (LSTM: i, f, g, o; GRU: r, z, n).
  public var gates: Int {
    switch self {
    case .tanh, .modReLU: 1
    case .gru: 3
    case .lstm: 4
    }
  }

  /// Whether the body carries a cell state c [N, H].
  public var hasCell: Bool { self == .lstm }

  /// Whether the body has its own bias, one number per unit (modReLU's b).
  public var hasUnitBias: Bool { self == .modReLU }
}

/// The sizes of one recurrent layer over one batch, and what it computes.
public struct LayerGeometry: Sendable, Hashable {
  /// T, time steps.
  public var steps: Int
  /// N, sequences.
  public var rows: Int
  /// C, input features.
  public var inputs: Int
  /// H, hidden units.
  public var hidden: Int
  /// The input drive and its constants.
  public var drive: DriveParameters
  /// The cell body.
  public var body: BodyKind
  /// k: only the state of every k-th step is kept for the backward pass, which recomputes the rest.
  /// 0 keeps all that it needs. The result is bit-identical. The scalar reference keeps everything.
  public var recomputeEvery = 0

  public init(
    steps: Int, rows: Int, inputs: Int, hidden: Int, drive: DriveParameters, body: BodyKind
  ) {
    self.steps = steps
    self.rows = rows
    self.inputs = inputs
    self.hidden = hidden
    self.drive = drive
    self.body = body
  }

  /// G·H, the width of the pre-activation.
  public var gateWidth: Int { body.gates * hidden }
}
