// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// A drive as nodes of a graph; `Kernels/Formulas/Drives` has the equations.
struct DriveGraph {
  let drive: DriveParameters

  /// The names of the states, each with the width of g.
  var states: [String] { drive.hasSecondMoment ? ["v", "s"] : drive.hasVelocity ? ["v"] : [] }
  var usesStepNumber: Bool { drive.kind == .nesterov || drive.kind == .nesterovExtrapolated }

  /// - Parameters:
  ///   - g: the product of the input
  ///   - before: v, or v and s
  ///   - number: how many steps of the sequence came before
  /// - Returns: d, and the states after the step
  func step(
    _ g: GraphValue, _ before: ArraySlice<GraphValue>, number: GraphValue
  ) -> (d: GraphValue, after: [GraphValue]) {
    let kept = Array(before)
    switch drive.kind {
    case .plain: return (g, [])
    case .momentum:
      let v = drive.epsilon * g + drive.mu * kept[0]
      return (v, [v])
    case .adam:
      let v = drive.epsilon * g + drive.mu * kept[0]
      let s = (1 - drive.beta) * (g * g) + drive.beta * kept[1]
      return (v / (1e-16 + s).squareRoot, [v, s])
    case .nesterov:
      let v = drive.epsilon * g + coefficient(number) * kept[0]
      return (v, [v])
    case .nesterovExtrapolated:
      preconditionFailure("this drive acts on the sum with the recurrent term")
    }
  }

  /// The extrapolated form, of the product of the input and of the recurrent term a.
  ///
  /// - Returns: the pre-activation, and the states after the step
  func extrapolated(
    _ g: GraphValue, _ a: GraphValue, _ before: GraphValue, number: GraphValue
  ) -> (z: GraphValue, after: [GraphValue]) {
    let v = a - drive.epsilon * g
    return (v + coefficient(number) * (v - before), [v])
  }

  /// (k - 1) / (k + 2), where k counts the steps from 1 to F and then again from 1.
  private func coefficient(_ number: GraphValue) -> GraphValue {
    let place =
      drive.restart > 0
      ? GraphValue.apply("Mod", [number, number.graph!.whole(drive.restart)]) : number
    let before = place.cast(to: .float)
    return before / (3 + before)
  }
}
