// SPDX-License-Identifier: Apache-2.0

import Kernels

/// The precision in which a reference file is checked, which also chooses the kernels.
public enum VerificationPrecision: String, Sendable, CaseIterable {
  /// The scalar reference.
  case double
  /// The kernels that training uses.
  case float
}

/// The result for one case of a reference file.
public struct CaseReport: Sendable, Codable {
  /// The reference file.
  public let file: String
  /// The name of the system.
  public let system: String
  /// The name of the case.
  public let name: String
  /// Outputs, final states and gradients.
  public let tensors: [TensorComparison]
  /// Why nothing was compared, if so.
  public let skipped: String?

  /// Whether every tensor is within its tolerance.
  public var passes: Bool { tensors.allSatisfy(\.passes) }
  /// The comparison that is furthest off.
  public var worst: TensorComparison? {
    tensors.max { ($0.passes ? 0 : 1, $0.normwise) < ($1.passes ? 0 : 1, $1.normwise) }
  }
}

/// Runs our systems on reference files.
public enum Verifier {
  /// Checks every case of a file.
  public static func verify(
    _ path: String, precision: VerificationPrecision
  ) throws(FixtureError) -> [CaseReport] {
    let file = try FixtureFile(path)
    var reports: [CaseReport] = []
    for name in file.cases {
      let fixture = try file.fixture(name)
      let tensors =
        switch precision {
        case .double: try compare(fixture, as: Double.self, strict: true)
        case .float: try compare(fixture, as: Float.self, strict: false)
        }
      reports.append(
        CaseReport(
          file: path, system: file.system, name: name, tensors: tensors,
          skipped: tensors.isEmpty ? "belongs to a system that this program does not have" : nil))
    }
    return reports
  }

  private static func compare<Scalar: KernelScalar>(
    _ fixture: FixtureCase, as type: Scalar.Type, strict: Bool
  ) throws(FixtureError) -> [TensorComparison] {
    if let comparisons = try RecurrentFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    if let comparisons = try RebaseFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    if let comparisons = try MatrixFixture.compare(fixture) { return comparisons }
    if let comparisons = try OptimizerFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    if let comparisons = try LanguageModelFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    if let comparisons = try TransformerFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    if let comparisons = try LossFixture<Scalar>.compare(fixture, strict: strict) {
      return comparisons
    }
    throw FixtureError(
      fixture.path, "holds the system \"\(fixture.system)\", which this program does not have",
      cure: "leave it out")
  }
}

extension FixtureCase.NamedArray {
  func values<Scalar: KernelScalar>(as type: Scalar.Type) -> [Scalar] {
    values.map { Scalar($0) }
  }
}
