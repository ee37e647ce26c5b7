// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Layers
import Foundation

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the speed of this machine.",
    discussion: """
      Each figure is compared with the peak of the core, measured in the same process just \
      before. Machines drift: compare ratios, and medians of several runs.
      """,
    subcommands: [
      BenchStep.self, BenchKernels.self, BenchAllreduce.self, BenchScaling.self,
      BenchCheckpoint.self, BenchMemory.self, BenchLatency.self,
    ])

  /// The system with this name.
  static func system(_ name: String) throws -> RecurrentSystem {
    guard let system = RecurrentSystem(named: name) else {
      throw ValidationError(
        "there is no cell \(name); there are "
          + RecurrentSystem.all.map(\.name).joined(separator: ", "))
    }
    return system
  }

  /// One JSON object on one line, its keys in snake case.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
