// SPDX-License-Identifier: Apache-2.0

/// The recursion that turns the input drive g_t = W_ih x_t + b_ih into the term d_t of the
/// pre-activation.
///
/// Each case has its equations in one file of `Kernels/Formulas/Drives`.
public enum DriveKind: String, Sendable, Hashable, CaseIterable {
  /// d_t = g_t
  case plain
  /// d_t = v_t, v_t = μ v_{t-1} + ε g_t
  case momentum
  /// d_t = v_t / √(q_t + 1e-16), q_t = β q_{t-1} + (1-β) g_t², with the v_t of `momentum`; RMSProp
  /// if μ = 0.
  case adam
  /// d_t = v_t, v_t = (k_t - 1)/(k_t + 2) v_{t-1} + ε g_t, with scheduled restarts.
  case nesterov
  /// Nesterov's extrapolation of the whole pre-activation, including the recurrent term.
  case nesterovExtrapolated

  /// The name of the drive in messages.
  public var title: String {
    self == .nesterovExtrapolated ? "nesterov, extrapolated" : rawValue
  }
}

/// A drive and its constants, in the notation of the authors' code (Nguyen et al., NeurIPS 2020).
public struct DriveParameters: Sendable, Hashable {
  /// The drive, which decides which constants are used.
  public var kind: DriveKind
  /// μ, the share of the old velocity that is kept.
  public var mu: Double
  /// ε, the step size of the input drive (the paper's s).
  public var epsilon: Double
  /// β, the share of the old second moment that is kept.
  public var beta: Double
  /// F, steps between restarts of the Nesterov counter; 0 never restarts.
  public var restart: Int
  /// The number of a call's first time step, from 0. If a sequence is run in pieces, the Nesterov
  /// counter continues from it.
  public var firstStep: Int

  public init(
    _ kind: DriveKind, mu: Double = 0, epsilon: Double = 1, beta: Double = 0, restart: Int = 0,
    firstStep: Int = 0
  ) {
    self.kind = kind
    self.mu = mu
    self.epsilon = epsilon
    self.beta = beta
    self.restart = restart
    self.firstStep = firstStep
  }

  /// Whether the drive carries a velocity v [N, G·H].
  public var hasVelocity: Bool { kind != .plain }

  /// Whether the drive carries a second moment q [N, G·H].
  public var hasSecondMoment: Bool { kind == .adam }

  /// (k-1)/(k+2) of Nesterov's method at a time step of the call counted from 0, where
  /// k = (step mod F) + 1, or step + 1 when F = 0.
  public func nesterovCoefficient(atStep stepOfCall: Int) -> Double {
    let step = firstStep + stepOfCall
    let k = Double((restart > 0 ? step % restart : step) + 1)
    return (k - 1) / (k + 2)
  }
}
