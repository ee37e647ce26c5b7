// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing
import Verification

@Suite struct FixtureTests {
  /// Our own reference files, which every clone has: made by Tests/References/make_fixtures.py,
  /// whose gradients come from complex-step differentiation, not from formulas like ours.
  @Test(
    arguments: ["lstm", "momentum_lstm", "optimizers", "losses"],
    [VerificationPrecision.double, .float])
  func ownFixtures(name: String, precision: VerificationPrecision) throws {
    try expectAll("\(Places.fixtures)/\(name).h5", precision)
  }

  /// PyTorch's numbers, if they are available.
  @Test(
    .enabled(if: Places.shared != nil, Comment(rawValue: Places.sharedReason)),
    arguments: FixtureTests.sharedSystems, [VerificationPrecision.double, .float])
  func sharedFixtures(name: String, precision: VerificationPrecision) throws {
    try expectAll("\(try #require(Places.shared))/fixtures/\(name).h5", precision)
  }

  static let sharedSystems = [
    "rnn_tanh", "lstm", "gru", "momentum_rnn", "momentum_lstm", "momentum_gru", "adam_rnn",
    "adam_lstm", "rmsprop_lstm", "nag_rnn", "nag_lstm", "srlstm", "srlstm_mnist", "optimizers",
    "losses", "awd_lstm", "exprnn", "scornn", "dtriv", "momentum_dtriv", "adam_dtriv",
    "rmsprop_dtriv",
    "srdtriv", "dtriv_rebase", "matrix_functions", "ln_rnn", "ln_lstm", "atn_rnn", "atn_lstm",
    "rgc", "rgc_zoo", "conv_lstm", "conv_gru", "conv_ugrnn", "conv_intersection", "time_decay",
    "ndt",
  ]

  private func expectAll(_ path: String, _ precision: VerificationPrecision) throws {
    let reports = try Verifier.verify(path, precision: precision)
    #expect(reports.contains { !$0.tensors.isEmpty })
    for report in reports {
      for tensor in report.tensors where !tensor.passes {
        Issue.record(
          "\(report.system)/\(report.name) \(tensor.name): norm-wise \(tensor.normwise), absolute \(tensor.worstAbsolute)"
        )
      }
    }
  }

  @Test func aComparisonFailsWhereItShould() {
    func passes(_ a: Double, _ b: Double, _ tolerance: TensorComparison.Tolerance) -> Bool {
      TensorComparison("t", computed: [a], expected: [b], tolerance: tolerance).passes
    }
    #expect(passes(1 + 1e-10, 1, .elementwise(absolute: 1e-10, relative: 1e-9)))
    #expect(!passes(1 + 1e-8, 1, .elementwise(absolute: 1e-10, relative: 1e-9)))
    #expect(!passes(.nan, 1, .elementwise(absolute: 1, relative: 1)))
    #expect(!passes(.nan, 1, .normwise(1)))
    #expect(passes(1.000001, 1, .normwise(1e-5)) && !passes(1.0001, 1, .normwise(1e-5)))
  }

  @Test func unknownSystemsAndForeignFilesAreNamed() throws {
    try Places.withTemporaryFolder { folder in
      func problem(_ system: String?) throws -> String? {
        let path = "\(folder)/\(system ?? "foreign").h5"
        let file = try HDF5.File.create(path)
        if let system { try file.setAttribute("system", system) }
        _ = try file.createGroup("case")
        try file.close()
        do {
          _ = try Verifier.verify(path, precision: .double)
          return nil
        } catch {
          return error.description
        }
      }
      for (system, message) in [
        ("warp_lstm", "the system \"warp_lstm\""), (nil, "has no attribute \"system\""),
        ("lstm", "has no attribute \"T\""),
      ] {
        let found = try problem(system)
        #expect(found?.contains(message) == true, "\(found ?? "nothing")")
      }
    }
    #expect(throws: FixtureError.self) {
      try Verifier.verify("\(Places.fixtures)/none.h5", precision: .double)
    }
  }
}
