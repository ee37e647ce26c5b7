// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import Kernels

struct BenchMemory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "memory",
    abstract: "Compare the two forms of a HiPPO-LegS memory: a scan, and a product with a matrix.",
    discussion: """
      Both run the memories of a batch over the same steps, forward and backward, alternately. \
      The matrices of the dense form are made before the clock starts.
      """)

  @Option(help: "Orders of the memory, separated by commas.")
  var orders = "64,128,256,512,1024"
  @Option(help: "Memories: the rows of a batch.")
  var rows = 100
  @Option(help: "Time steps; the dense form keeps two matrices for each.")
  var steps = 48
  @Option(help: "How often each form is timed.")
  var repeats = 5
  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    guard rows > 0, steps > 0, repeats > 0 else {
      throw ValidationError("--rows, --steps and --repeats must be at least 1")
    }
    _ = try sizes()
  }

  private func sizes() throws -> [Int] {
    try orders.split(separator: ",").map { text in
      guard let order = Int(text), (1...4096).contains(order) else {
        throw ValidationError("--orders \(orders): \(text) is not an order from 1 to 4096")
      }
      return order
    }
  }

  func run() throws {
    NumericEnvironment.enter()
    for order in try sizes() {
      let result = MemoryBenchmark.run(order: order, rows: rows, steps: steps, repeats: repeats)
      print(json ? try Bench.json(result) : line(result))
    }
  }

  private func line(_ result: MemoryResult) -> String {
    func seconds(_ value: Double) -> String {
      String(format: "%.3f", value / Double(steps) * 1e6)
    }
    return "N=\(result.order), \(rows) memories, \(KernelBackend.current.name): "
      + "scan \(seconds(result.scanSeconds)) µs a step, dense \(seconds(result.denseSeconds)) µs, "
      + String(format: "%.1f times; ", result.ratio)
      + String(
        format: "they differ by %.1e, scan and dense from Double by %.1e and %.1e",
        result.largestDifference, result.scanError, result.denseError)
  }
}
