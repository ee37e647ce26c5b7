// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Foundation
import MPI

struct BenchAllreduce: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "allreduce",
    abstract: "Time the sum over ranks: in fixed order, and by MPI_Allreduce.",
    discussion: """
      Start it under mpirun. The methods alternate; times are medians of the slowest rank. \
      Bandwidth is bus bandwidth, bytes/t * 2(n-1)/n. MPI_Allreduce is called once for the whole \
      buffer and, in the last columns, once for each bucket.
      """)

  @Option(help: "Bytes to sum, as in 4KB,1MB (powers of 1024).")
  var sizes = "1KB,16KB,256KB,1MB,4MB,16MB,100MB"
  @Option(help: "How many times each is timed.")
  var repeats = 15
  @Option(help: "Bytes of a bucket.")
  var bucket = "1MB"
  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    _ = try bytes(of: bucket)
    for size in sizes.split(separator: ",") { _ = try bytes(of: size) }
    guard !sizes.isEmpty else { throw ValidationError("--sizes is empty.") }
    guard repeats > 0 else { throw ValidationError("--repeats \(repeats) is not positive.") }
  }

  func run() throws {
    let communicator = try Launch.communicator()
    let isFirst = communicator.rank == 0
    if isFirst, communicator.size == 1 {
      FileHandle.standardError.write(
        Data("momentum-dist: one rank has no other to sum with; start it under mpirun\n".utf8))
    }
    if isFirst, !json {
      print("\(communicator.size) rank(s), buckets of \(bucket), milliseconds and GB/s")
      print("      bytes       fixed order     MPI_Allreduce  MPI_Allreduce by buckets")
    }
    for size in sizes.split(separator: ",") {
      let result = try AllreduceBenchmark.run(
        bytes: try bytes(of: size), repeats: repeats, bucketBytes: try bytes(of: bucket),
        on: communicator)
      guard isFirst else { continue }
      if json {
        print(try Bench.json(result))
      } else {
        print(
          String(
            format: "%11d  %9.3f %6.2f  %9.3f %6.2f  %9.3f %6.2f", result.bytes,
            result.fixedSeconds * 1e3, result.fixedGBps, result.mpiSeconds * 1e3, result.mpiGBps,
            result.mpiBucketsSeconds * 1e3, result.mpiBucketsGBps))
      }
      fflush(nil)
    }
  }

  /// A number of bytes with or without a unit.
  private func bytes(of text: some StringProtocol) throws -> Int {
    let units = [("KB", 10), ("MB", 20), ("GB", 30), ("B", 0), ("", 0)]
    let upper = text.uppercased()
    for (unit, shift) in units where upper.hasSuffix(unit) {
      guard let number = Int(upper.dropLast(unit.count)), number > 0, number < 1 << 24 else {
        break
      }
      return number << shift
    }
    throw ValidationError("\(text) is not a size; write it as 512KB or 16MB.")
  }
}
