// SPDX-License-Identifier: Apache-2.0

/// The cost of an orthogonal matrix: the map φ from the skew matrix, and its adjoint.
public struct OrthogonalWork: Sendable, Hashable {
  /// How often something ran, and for how long.
  public struct Part: Sendable, Hashable {
    /// How often it ran.
    public var calls = 0
    /// How long it ran in all.
    public var seconds = 0.0

    public init() {}

    mutating func add(_ duration: Duration) {
      calls += 1
      seconds += duration / .seconds(1)
    }
  }

  /// The map φ.
  public var map = Part()
  /// The adjoint of φ.
  public var adjoint = Part()

  public init() {}

  /// The cost of both.
  public static func + (a: OrthogonalWork, b: OrthogonalWork) -> OrthogonalWork {
    combine(a, b, +, +)
  }

  /// The cost since `b`.
  public static func - (a: OrthogonalWork, b: OrthogonalWork) -> OrthogonalWork {
    combine(a, b, -, -)
  }

  private static func combine(
    _ a: OrthogonalWork, _ b: OrthogonalWork, _ calls: (Int, Int) -> Int,
    _ seconds: (Double, Double) -> Double
  ) -> OrthogonalWork {
    var result = OrthogonalWork()
    result.map.calls = calls(a.map.calls, b.map.calls)
    result.map.seconds = seconds(a.map.seconds, b.map.seconds)
    result.adjoint.calls = calls(a.adjoint.calls, b.adjoint.calls)
    result.adjoint.seconds = seconds(a.adjoint.seconds, b.adjoint.seconds)
    return result
  }
}
