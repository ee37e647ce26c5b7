// SPDX-License-Identifier: Apache-2.0

import DataParallel
import KernelInterface
import Kernels
import Liveness
import MPI
import Tensors

/// Times the same training step on 1 to N ranks of one communicator.
///
/// The first n ranks take steps on their own communicator while the others sleep. Every rank makes
/// the same calls and gets the same results.
public final class ScalingBenchmark {
  private let communicator: Communicator
  private let problem: StepProblem
  private let repeats: Int
  private let warmup: Int
  private let hosts: [Int]
  /// The step of one rank, the baseline of all comparisons; the same for both scalings.
  private var one: Measurement?
  /// By the rank's part of the batch, as in 1/4, and the number of busy ranks.
  private var alone: [[Int]: Double] = [:]

  /// - Parameters:
  ///   - problem: the step of one rank
  ///   - repeats: the number of measured steps
  ///   - warmup: the number of steps before them
  ///   - communicator: the ranks
  public init(
    _ problem: StepProblem, repeats: Int, warmup: Int, on communicator: Communicator
  ) throws {
    self.problem = problem
    self.repeats = repeats
    self.warmup = warmup
    self.communicator = communicator
    hosts = try communicator.hosts()
  }

  /// The ranks of the first host, or the largest power of two below; the model assumes the same for
  /// every host.
  public var ranksPerHost: Int {
    let count = hosts.filter { $0 == 0 }.count
    return 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
  }

  /// Whether there are several hosts.
  public var spansHosts: Bool { hosts.last! > 0 }

  // MARK: Measurement

  /// The parts of the median step.
  private struct Measurement {
    /// Total, compute, reduction, optimizer: means over ranks.
    var means: [Double]
    /// The same for the slowest rank in each.
    var slowest: [Double]
  }

  /// The problem of n ranks.
  private func problem(_ scaling: Scaling, ranks n: Int) -> StepProblem {
    var problem = problem
    if scaling == .weak {
      problem.batch *= n
      problem.shards *= n
    }
    return problem
  }

  /// Measures the step on the first n ranks.
  public func measure(_ scaling: Scaling, ranks n: Int) throws -> ScalingResult {
    let first = try one ?? measure(problem, ranks: 1)
    one = first
    let problem = problem(scaling, ranks: n)
    let measured = n == 1 ? first : try measure(problem, ranks: n)
    let total = measured.slowest[0]
    let late = measured.slowest[1] - measured.means[1]
    let reduction = max(measured.means[2] - late, 0)
    let parts = measured.means[1] + late + reduction + measured.means[3]
    let speedup =
      Double(problem.batch) / total / (Double(self.problem.batch) / first.slowest[0])
    return ScalingResult(
      scaling: scaling, ranks: n, hosts: Set(hosts[..<n]).count, batch: problem.batch,
      shards: problem.shards, secondsPerStep: total, computeSeconds: measured.means[1],
      lateSeconds: late, reductionSeconds: reduction, optimizerSeconds: measured.means[3],
      otherSeconds: total - parts, speedup: speedup, efficiency: speedup / Double(n))
  }

  /// - Parameter together: whether the n ranks take the step of one problem together, or each takes
  ///   the step of its own problem at the same time
  private func measure(
    _ problem: StepProblem, ranks n: Int, together: Bool = true
  ) throws -> Measurement {
    let isActive = communicator.rank < n
    let active = try communicator.split(color: isActive ? 0 : 1, key: communicator.rank)
    let group = together ? active : try communicator.split(color: communicator.rank)
    let work = isActive ? try StepWork(problem, on: group) : nil
    var means: [[Double]] = []
    var slowest: [[Double]] = []
    for step in 0..<warmup + repeats {
      if let work {
        Deadline.enter(.computing)
        let times = try work.step()
        let parts = [times.total, times.compute, times.reduction, times.optimizer]
        // This also lets all ranks begin the next step together.
        let sums = try reduce(parts, .sum, on: active)
        let largest = try reduce(parts, .maximum, on: active)
        if step >= warmup {
          means.append(sums.map { $0 / Double(n) })
          slowest.append(largest)
        }
        // Every step ends with this, so that no wait is long.
        if communicator.rank == 0 {
          for idle in n..<communicator.size { try communicator.nudge(idle) }
        }
      } else {
        try communicator.awaitNudge(from: 0)
      }
    }
    var values = [Double](repeating: 0, count: 8)
    if communicator.rank == 0 {
      let order = slowest.indices.sorted { slowest[$0][0] < slowest[$1][0] }
      let median = order[(order.count - 1) / 2]
      values = means[median] + slowest[median]
    }
    var span = values.mutableSpan
    try communicator.broadcast(&span)
    return Measurement(means: Array(values[..<4]), slowest: Array(values[4...]))
  }

  private func reduce(
    _ values: [Double], _ operation: ReductionOperator, on group: Communicator
  ) throws(MPIError) -> [Double] {
    var values = values
    var span = values.mutableSpan
    try group.allreduce(&span, operation)
    return values
  }

  // MARK: Model

  /// Measures the parts of the model.
  ///
  /// - Parameters:
  ///   - given: the link between hosts; nil measures it, which takes several hosts
  ///   - ranksPerHost: a power of two; nil takes those of the first host
  public func model(between given: LinkSpeed?, ranksPerHost: Int?) throws -> ScalingModel {
    let bytes = parameterCount * MemoryLayout<Float>.stride
    let half = max(min(bytes, problem.bucketBytes) / 2, 8)
    let here = self.ranksPerHost
    // If each host has one rank, the link inside a host is not used.
    let inside =
      here > 1 ? try LinkBenchmark.speed(distance: 1, bytes: half, on: communicator) : nil
    let measured =
      spansHosts ? try LinkBenchmark.speed(distance: here, bytes: half, on: communicator) : nil
    let none = LinkSpeed(latency: 0, secondsPerByte: 0)
    return ScalingModel(
      gradientBytes: bytes, buckets: (bytes + problem.bucketBytes - 1) / problem.bucketBytes,
      addSecondsPerByte: try LinkBenchmark.addSecondsPerByte(bytes: half, on: communicator),
      ranksPerHost: ranksPerHost ?? here, inside: inside ?? none,
      between: given ?? measured ?? none)
  }

  /// The numbers of the gradient.
  public private(set) lazy var parameterCount = StepWork.model(problem).layout.count

  /// The model's prediction for a step on n ranks, a power of two; nil if a batch has fewer virtual
  /// shards. The ranks of one host share its memory and caches, so the step of a single rank is
  /// measured while as many others as there are here, up to n, do the same.
  public func predict(
    _ scaling: Scaling, ranks n: Int, by model: ScalingModel
  ) throws -> ScalingPrediction? {
    let part = scaling == .weak ? 1 : n
    guard part <= problem.shards, let one else { return nil }
    let alone =
      n == 1
      ? one.slowest[0] : try aloneSeconds(part: part, busy: min(n, communicator.size))
    let reduction = model.reductionSeconds(ranks: n)
    let whole = Double(scaling == .weak ? n : 1) * one.slowest[0] / Double(n)
    return ScalingPrediction(
      scaling: scaling, ranks: n, hosts: model.hosts(ranks: n),
      predictedSecondsPerStep: alone + reduction, aloneSeconds: alone, reductionSeconds: reduction,
      efficiency: whole / (alone + reduction))
  }

  /// The step of a rank alone on 1/`part` of the batch, while `busy` ranks do the same.
  private func aloneSeconds(part: Int, busy: Int) throws -> Double {
    let key = [part, busy]
    if let known = alone[key] { return known }
    var share = problem
    share.batch /= part
    share.shards /= part
    let seconds = try measure(share, ranks: busy, together: false).slowest[0]
    alone[key] = seconds
    return seconds
  }
}
