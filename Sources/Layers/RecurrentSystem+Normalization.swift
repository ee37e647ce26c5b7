// SPDX-License-Identifier: Apache-2.0

import KernelInterface

extension RecurrentSystem {
  /// The same drive and body with norms in its gates, as a cell: MomentumLSTM with ATN is
  /// `momentum_lstm` normalised by `assortedTime`.
  ///
  /// - Returns: nil if it cannot have norms: a cell, which has its own norms; an orthogonal matrix,
  ///   which is meant to preserve the length of states; the extrapolated Nesterov drive, whose two
  ///   terms are already summed where a norm would apply to one of them
  public func normalized(by normalization: Normalization) -> RecurrentSystem? {
    guard case .fused(let drive, let body, nil) = design, drive != .nesterovExtrapolated else {
      return nil
    }
    guard normalization != .none else { return self }
    let family: any CellFamily
    switch body {
    case .tanh: family = NormalizedRNN(normalization)
    case .lstm: family = NormalizedLSTM(normalization)
    case .gru: family = NormalizedGRU(normalization)
    case .modReLU: return nil
    }
    return RecurrentSystem(
      name, drive == .plain ? family : DrivenCell(drive, family),
      hyperparameters + normalization.hyperparameters, from: source, normalization: normalization)
  }
}

extension Normalization {
  /// The constants that such norms have.
  var hyperparameters: [RecurrentSystem.Hyperparameter] {
    self == .assortedTime ? [.window, .carryWindow] : []
  }
}
