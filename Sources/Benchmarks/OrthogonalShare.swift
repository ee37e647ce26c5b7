// SPDX-License-Identifier: Apache-2.0

import Layers

/// The cost of a step's orthogonal matrices: the exponential (or Cayley's map) and its adjoint.
public struct OrthogonalShare: Sendable, Codable {
  /// Maps in one step, over all layers.
  public let mapsPerStep: Int
  /// Adjoints of the map in one step, over all layers.
  public let adjointsPerStep: Int
  /// The median time of all maps of a step.
  public let mapSeconds: Double
  /// The median time of all adjoints of a step.
  public let adjointSeconds: Double
  /// Both as a share of the step.
  public let share: Double

  /// Nil if no layer is orthogonal.
  init?(_ times: [StepTimes]) {
    let works = times.compactMap(\.orthogonal)
    guard let most = works.max(by: { $0.map.calls < $1.map.calls }) else { return nil }
    mapsPerStep = most.map.calls
    adjointsPerStep = works.map(\.adjoint.calls).max() ?? 0
    mapSeconds = Timing.median(works.map(\.map.seconds))
    adjointSeconds = Timing.median(works.map(\.adjoint.seconds))
    share = (mapSeconds + adjointSeconds) / Timing.median(times.map(\.total))
  }
}
