// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Kernels
import Training
import Verification

extension VerificationPrecision: ExpressibleByArgument {}

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the systems against reference files.",
    discussion: """
      Reads each file's system and hyper-parameters, runs this program's layer on its weights, \
      inputs, initial states and upstream gradients, and compares outputs, final states and every \
      gradient. double uses the scalar reference, float the kernels that training uses.

      Exits with 0 if all are within tolerance, 1 if not, 65 if a file cannot be used.
      """)

  @Argument(help: "Reference files (HDF5).")
  var files: [String]

  @Option(help: "The precision: double or float.")
  var precision = VerificationPrecision.double

  @Flag(help: "Print one JSON object per case, with every tensor.")
  var json = false

  func run() throws {
    NumericEnvironment.enter()
    var isGood = true
    var unusable: [String] = []
    for file in files {
      do {
        for report in try Verifier.verify(file, precision: precision) {
          isGood = isGood && report.passes
          print(json ? try encode(report) : line(report))
        }
      } catch let error as FixtureError {
        unusable.append(error.description)
      }
    }
    guard unusable.isEmpty else {
      throw RunFailure(.unusableData, unusable.joined(separator: "\nmomentum-dist: "))
    }
    if !isGood { throw ExitCode(1) }
  }

  private func encode(_ report: CaseReport) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(report), as: UTF8.self)
  }

  private func line(_ report: CaseReport) -> String {
    let title = "\(report.system)/\(report.name)".padding(
      toLength: 34, withPad: " ", startingAt: 0)
    guard let worst = report.worst else {
      return "\(title) skipped: \(report.skipped ?? "nothing to compare")"
    }
    return title
      + String(
        format: " %3d tensors  worst norm-wise %.1e  abs %.1e  rel %.1e  (%@)  %@",
        report.tensors.count, worst.normwise, worst.worstAbsolute, worst.worstRelative,
        worst.name, report.passes ? "ok" : "OUT OF TOLERANCE")
  }
}
