// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// An operation that needs a pointwise formula as a type.
protocol PointwiseWork {
  associatedtype V: Lanes
  associatedtype Result

  func run<F: PointwiseFormula>(_: F.Type) -> Result where F.V == V
}

extension PointwiseWork {
  /// Runs the work with a formula. Every formula has one line in this file.
  @inline(__always)
  func run(for kind: PointwiseKind) -> Result {
    switch kind {
    case .tanh: run(TanhFormula<V>.self)
    case .tanhAdjoint: run(TanhAdjoint<V>.self)
    case .lstmGates: run(LSTMGates<V>.self)
    case .lstmGatesAdjoint: run(LSTMGatesAdjoint<V>.self)
    case .lstmOutput: run(LSTMOutput<V>.self)
    case .lstmOutputAdjoint: run(LSTMOutputAdjoint<V>.self)
    case .gru: run(GRUFormula<V>.self)
    case .gruAdjoint: run(GRUAdjoint<V>.self)
    case .gatedUpdate: run(GatedUpdate<V>.self)
    case .gatedUpdateAdjoint: run(GatedUpdateAdjoint<V>.self)
    case .sum: run(SumFormula<V>.self)
    case .copy: run(CopyFormula<V>.self)
    case .elu: run(ELUFormula<V>.self)
    case .eluAdjoint: run(ELUAdjoint<V>.self)
    case .relu: run(ReLUFormula<V>.self)
    case .reluAdjoint: run(ReLUAdjoint<V>.self)
    case .reciprocalGate: run(ReciprocalGate<V>.self)
    case .reciprocalGateAdjoint: run(ReciprocalGateAdjoint<V>.self)
    case .carriedUpdate: run(CarriedUpdate<V>.self)
    case .carriedUpdateAdjoint: run(CarriedUpdateAdjoint<V>.self)
    case .rectifiedUpdate: run(RectifiedUpdate<V>.self)
    case .rectifiedUpdateAdjoint: run(RectifiedUpdateAdjoint<V>.self)
    case .resetState: run(ResetState<V>.self)
    case .resetStateAdjoint: run(ResetStateAdjoint<V>.self)
    }
  }
}
