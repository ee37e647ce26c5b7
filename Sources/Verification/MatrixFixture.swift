// SPDX-License-Identifier: Apache-2.0

import BLAS
import Layers
import Tensors

/// A case of `matrix_functions`: exp and Cayley map with their adjoints, the nearest orthogonal
/// matrix, starting angles. These are always computed in Double.
enum MatrixFixture {
  static func compare(_ fixture: FixtureCase) throws(FixtureError) -> [TensorComparison]? {
    guard fixture.system == "matrix_functions" else { return nil }
    do {
      if fixture.name.hasPrefix("expm") { return try exponential(fixture) }
      if fixture.name.hasPrefix("cayley") { return try cayley(fixture) }
      if fixture.name.hasPrefix("polar") { return try polar(fixture) }
      if fixture.name.hasPrefix("skew_init") { return try angles(fixture) }
      if fixture.name.hasPrefix("hippo") { return try memory(fixture) }
      return []  // matrices of a later system
    } catch let error as FixtureError {
      throw error
    } catch {
      throw FixtureError("\(fixture.path):/\(fixture.name)", "\(error)", cure: "fix the file")
    }
  }

  private static func matrix(_ fixture: FixtureCase, _ name: String) throws -> Matrix {
    let array = try fixture.array(name)
    return Matrix(Tensor(array.values, shape: array.shape))
  }

  private static func comparison(
    _ fixture: FixtureCase, _ name: String, _ computed: [Double]
  ) throws -> TensorComparison {
    TensorComparison(
      name, computed: computed, expected: try fixture.array(name).values,
      tolerance: .elementwise(absolute: 1e-10, relative: 1e-9))
  }

  private static func exponential(_ fixture: FixtureCase) throws -> [TensorComparison] {
    let (a, g) = (try matrix(fixture, "A"), try matrix(fixture, "upstream"))
    let along = try MatrixFunctions.exponential(DualMatrix(value: a, derivative: g))
    let adjoint = try MatrixFunctions.exponentialAdjoint(at: a, gradient: g)
    return [
      try comparison(
        fixture, "expm", try MatrixFunctions.exponential(a).values.array),
      try comparison(fixture, "frechet_A_E", along.derivative.values.array),
      try comparison(fixture, "grad_A", adjoint.values.array),
    ]
  }

  private static func cayley(_ fixture: FixtureCase) throws -> [TensorComparison] {
    let (a, g) = (try matrix(fixture, "A"), try matrix(fixture, "upstream"))
    let adjoint = try MatrixFunctions.cayleyAdjoint(at: a, gradient: g)
    return [
      try comparison(fixture, "cayley", try MatrixFunctions.cayley(a).values.array),
      try comparison(fixture, "grad_A", adjoint.values.array),
    ]
  }

  private static func polar(_ fixture: FixtureCase) throws -> [TensorComparison] {
    let nearest = try MatrixFunctions.nearestOrthogonal(try matrix(fixture, "M"))
    return [try comparison(fixture, "polar", nearest.values.array)]
  }

  private static func angles(_ fixture: FixtureCase) throws -> [TensorComparison] {
    let uniform = try fixture.array("uniform").values
    return try OrthogonalSettings.Start.allCases.map { start in
      try comparison(
        fixture, "\(start.rawValue)_angles",
        uniform.map { OrthogonalKernel<Double>.angle(start, uniform: $0) })
    }
  }

  /// The systems of the measures that the file has, with Δ = .05 in every discretisation.
  private static func memory(_ fixture: FixtureCase) throws -> [TensorComparison]? {
    let measures: [String: MemoryMeasure] = [
      "hippo_legs": .scaledLegendre, "hippo_legt": .translatedLegendre, "hippo_lmu": .legendreUnit,
    ]
    let name = fixture.name.split(separator: "_").dropLast().joined(separator: "_")
    guard let measure = measures[name] else { return [] }
    let (a, b) = measure.system(order: try matrix(fixture, "A").n)
    return try Discretization.allCases.reduce(
      into: [
        comparison(fixture, "A", a.values.array), comparison(fixture, "B", b),
      ]
    ) { done, method in
      let step = try method.discretize(a, b, step: 0.05)
      let theirs = method.rawValue
      done.append(try comparison(fixture, "\(theirs)_A_bar_dt0.05", step.a.values.array))
      done.append(try comparison(fixture, "\(theirs)_B_bar_dt0.05", step.b))
    }
  }
}
