// SPDX-License-Identifier: Apache-2.0

import BLAS
import Checkpoints
import Files
import Foundation
import Kernels
import MPI
import Tensors

/// The measured times of training steps while a checkpoint is saved, on rank 0.
public struct CheckpointResult: Sendable, Codable {
  /// The parameters alone.
  public let parameterBytes: Int
  /// Parameters with both moments of Adam.
  public let stateBytes: Int
  /// The files of the checkpoint.
  public let diskBytes: Int
  /// The number of ranks, each of which writes a shard.
  public let ranks: Int
  /// A step while no save is in progress.
  public let stepSeconds: Double
  /// How long a step waits for a save in the foreground: until it is on the disk.
  public let foregroundStallSeconds: Double
  /// How long a step waits for a save in the background: until the state is copied.
  public let backgroundStallSeconds: Double
  /// How long it waits for the first such save, which also allocates the memory of the copy.
  public let backgroundFirstStallSeconds: Double
  /// The extra time of all steps during a background save in total, including the stall.
  public let backgroundCostSeconds: Double
  /// From the beginning of a background save until the checkpoint is complete.
  public let backgroundSeconds: Double
}

/// Measures how much saving a checkpoint slows down the training that continues meanwhile.
///
/// A step is a matrix product of about a tenth of a second and one reduction over the ranks.
public final class CheckpointBenchmark {
  private let communicator: Communicator
  private let folder: String
  private let tensors: [LiveTensor]
  private let snapshot: CheckpointSnapshot
  private let work: ProductWork
  private let ranks: BenchmarkRanks
  private var saves = 0

  /// - Parameters:
  ///   - megabytes: the size of the parameters; Adam's state adds twice as much
  ///   - folder: where the checkpoints go, the same on all ranks
  ///   - communicator: the ranks that save
  public init(megabytes: Int, folder: String, on communicator: Communicator) throws {
    NumericEnvironment.enter()
    self.communicator = communicator
    ranks = BenchmarkRanks(communicator: communicator)
    self.folder = folder
    let rows = 1024
    let width = megabytes * (1 << 20) / MemoryLayout<Float>.size / rows
    tensors = ["parameters/w", "optimizer/exp_avg/w", "optimizer/exp_avg_sq/w"].map { path in
      let values = (0..<rows * width).map { Float($0 & 0xffff) * 1e-3 }
      return LiveTensor(path: path, tensor: Tensor(values, shape: [rows, width]))
    }
    snapshot = CheckpointSnapshot(shard: communicator.rank, of: communicator.size)
    work = try ProductWork(seconds: 0.1, on: communicator)
  }

  /// Times `repeats` saves of each kind, after a first one in the background. Every rank calls this.
  public func run(repeats: Int) throws -> CheckpointResult {
    let step = Timing.median(try (0..<2 * repeats + 1).map { _ in try self.step() })
    let first = try background(step)
    var foreground: [Double] = []
    var others: [Background] = []
    for _ in 0..<repeats {
      foreground.append(
        try timed {
          let save = try begin()
          while try !advance(save, waiting: true) {}
        })
      others.append(try background(step))
    }
    let state = tensors.reduce(0) { $0 + $1.tensor.count * MemoryLayout<Float>.size }
    let files = try FileManager.default.contentsOfDirectory(atPath: checkpoint)
    return CheckpointResult(
      parameterBytes: state / 3, stateBytes: state,
      diskBytes: files.reduce(0) { $0 + (FileStamp("\(checkpoint)/\($1)")?.bytes ?? 0) },
      ranks: communicator.size, stepSeconds: step,
      foregroundStallSeconds: Timing.median(foreground),
      backgroundStallSeconds: Timing.median(others.map(\.stall)),
      backgroundFirstStallSeconds: first.stall,
      backgroundCostSeconds: Timing.median(others.map(\.cost)),
      backgroundSeconds: Timing.median(others.map(\.total)))
  }

  private struct Background {
    var stall = 0.0
    var cost = 0.0
    var total = 0.0
  }

  private func background(_ step: Double) throws -> Background {
    var times = Background()
    var save: BackgroundSave?
    times.stall = try timed { save = try begin() }
    times.cost = times.stall
    times.total = times.stall
    while true {
      times.total += try self.step(adding: &times.cost, beyond: step)
      if try advance(save!, waiting: false) { break }
    }
    return times
  }

  // MARK: Pieces

  private var checkpoint: String { "\(folder)/step-\(saves)" }

  private func timed(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock().now
    try body()
    return (ContinuousClock().now - start).inSeconds
  }

  private func step() throws -> Double {
    try timed {
      work.run()
      _ = try communicator.allreduce(1.0)
    }
  }

  private func step(adding cost: inout Double, beyond baseline: Double) throws -> Double {
    let seconds = try step()
    cost += seconds - baseline
    return seconds
  }

  private func begin() throws -> BackgroundSave {
    saves += 1
    snapshot.copy(tensors)
    let older = "\(folder)/step-\(saves - 1)"
    let save = BackgroundSave(
      to: checkpoint, manifest(), of: snapshot,
      hooks: .init(after: { DurableFiles.remove(older) }))
    try save.start(on: ranks)
    return save
  }

  /// Starts the next stage of a save if every rank is idle; true when it is complete.
  private func advance(_ save: BackgroundSave, waiting: Bool) throws -> Bool {
    if waiting { save.wait() }
    guard try communicator.allreduce(save.isIdle ? 0 : 1, .maximum) == 0 else { return false }
    return try save.advance(on: ranks)
  }

  private func manifest() -> CheckpointManifest {
    CheckpointManifest(
      step: saves, epoch: 0, batch: 0, parameterCount: tensors[0].tensor.count,
      optimizer: .init(name: "adam", stepCount: saves), progress: [:],
      tensors: snapshot.entries, files: [], configuration: "",
      machine: .init(
        precision: "float32", kernels: "none", blasCore: OpenBLAS.coreName,
        virtualShards: communicator.size, ranks: communicator.size, program: "bench checkpoint"))
  }
}

/// Matrix products that take about a given time, the same number on every rank.
private struct ProductWork {
  private let a = Tensor<Float>([Float](repeating: 1e-3, count: 1 << 18), shape: [512, 512])
  private let c = Tensor<Float>(shape: [512, 512])
  private var products = 1

  init(seconds: Double, on communicator: Communicator) throws {
    run()
    let each = ContinuousClock().measure { run() }.inSeconds
    products = try communicator.allreduce(max(1, Int(seconds / max(each, 1e-6))), .maximum)
  }

  func run() {
    for _ in 0..<products { matrixProduct(a, a, into: c) }
  }
}

/// The ranks of a benchmark. If one fails, all do.
private struct BenchmarkRanks: SavingRanks {
  typealias Failure = any Error

  struct PeerFailed: Error, CustomStringConvertible {
    let description = "another rank could not save; see its message"
  }

  let communicator: Communicator

  var isRoot: Bool { communicator.rank == 0 }

  func together<Result>(_ body: () throws -> Result) throws(any Error) -> Result {
    let outcome = Swift.Result { try body() }
    var hasFailed = 0
    if case .failure = outcome { hasFailed = 1 }
    let anyHasFailed = try communicator.allreduce(hasFailed, .maximum) == 1
    let own = try outcome.get()
    if anyHasFailed { throw PeerFailed() }
    return own
  }

  func gather(_ own: [UInt8]) throws -> [[UInt8]]? { try communicator.gather(own, to: 0) }
}
