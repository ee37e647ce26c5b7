// SPDX-License-Identifier: Apache-2.0

/// How the recurrent matrix of an orthogonal cell is parametrised, trained and initialised.
public struct OrthogonalSettings: Sendable, Hashable {
  /// φ, from skew to orthogonal matrices.
  public enum Map: String, Sendable, CaseIterable {
    /// exp, as in expRNN and DTRIV.
    case exponential
    /// (I + S)⁻¹ (I - S), as in scoRNN.
    case cayley
  }

  /// The angles of the starting skew matrix, one per pair of units.
  public enum Start: String, Sendable, CaseIterable {
    /// θ ~ U(-π, π) (Henaff et al., 2016).
    case henaff
    /// θ = -tan(t/2) with t ~ U(0, π/2) (Helfrich et al., 2018).
    case cayley
  }

  /// Which gradient a step that rebases uses.
  public enum RebaseGradient: String, Sendable, CaseIterable {
    /// Rebase first, then differentiate at A = 0 about the new base (Lezcano Casado, 2019).
    case exact
    /// The authors' code: the derivative at the old A, with the new base as its left factor.
    case compat
  }

  /// φ, from skew-symmetric to orthogonal matrices.
  public var map: Map
  /// How A is drawn before training.
  public var start: Start
  /// Whether the base moves at all (DTRIV) or stays the identity (expRNN, scoRNN).
  public var isDynamic: Bool
  /// K, optimizer steps between rebases; 0 is infinity: one rebase, at the first use.
  public var rebaseEvery: Int
  /// M, rebases between projections of the base.
  public var projectEvery: Int
  /// Which gradient of A a step that rebases uses.
  public var rebaseGradient: RebaseGradient

  public init(
    map: Map = .exponential, start: Start = .cayley, isDynamic: Bool = true, rebaseEvery: Int = 1,
    projectEvery: Int = 100, rebaseGradient: RebaseGradient = .exact
  ) {
    self.map = map
    self.start = start
    self.isDynamic = isDynamic
    self.rebaseEvery = rebaseEvery
    self.projectEvery = projectEvery
    self.rebaseGradient = rebaseGradient
  }
}
