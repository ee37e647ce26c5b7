// SPDX-License-Identifier: Apache-2.0

import MPI

/// Counts checks, and ends all ranks at the first that fails.
final class Checker {
  private let world: Communicator
  private var count = 0

  init(_ world: Communicator) {
    self.world = world
  }

  /// Compares the result of a call with the expected one.
  func expect<Value: Equatable>(_ name: String, _ found: Value, _ expected: Value) {
    count += 1
    if found == expected { return }
    fail("\(name): found \(excerpt(found)), expected \(excerpt(expected))")
  }

  /// Checks that a call throws an error whose description contains `text`.
  func expectError(_ name: String, _ text: String, _ body: () throws(MPIError) -> Void) {
    var description = "no error"
    do throws(MPIError) {
      try body()
    } catch {
      description = error.description
    }
    expect("\(name): \(description)", description.contains(text), true)
  }

  /// Prints the result on rank 0, after a check that all ranks made the same checks.
  func report() throws(MPIError) {
    let counts = try world.allgather(count)
    if Set(counts).count != 1 { fail("ranks made different numbers of checks: \(counts)") }
    if world.rank == 0 { print("mpi-checks: \(count) checks passed on \(world.size) ranks") }
  }

  private func fail(_ text: String) -> Never {
    print("mpi-checks: rank \(world.rank): \(text)")
    Environment.abort(code: 1)
  }

  private func excerpt<Value>(_ value: Value) -> String {
    let text = "\(value)"
    return text.count > 200 ? text.prefix(200) + "..." : text
  }
}
