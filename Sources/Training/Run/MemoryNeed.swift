// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import DataParallel
import Diagnosis
import Files
import Foundation
import MPI
import Optimizers
import Reports

/// An estimate of the memory that a rank needs. It is a lower bound: a run that is refused could
/// not have succeeded.
struct MemoryNeed {
  /// The uses of the memory, with a name and the bytes of each.
  private(set) var parts: [(name: String, bytes: Double, cure: String)] = []

  var bytes: Double { parts.reduce(0) { $0 + $1.bytes } }

  private static let scalar = Double(MemoryLayout<Float>.size)
  private static let smallerModel = "lower model.hidden_size or model.layers"

  /// The need of the recurrent matrices and of the states of a language model's columns, computed
  /// from the configuration before anything is allocated.
  init(ofMatrices configuration: TrainingConfiguration) {
    let model = configuration.model
    let (H, system) = (Double(model.hiddenSize), model.cell.system)
    // The last layer of a tied language model has a different width.
    let isTied = configuration.dataset.task == .languageModel && configuration.languageModel.tied
    let layers = Double((model.layers - (isTied ? 1 : 0)) * (model.bidirectional ? 2 : 1))
    let matrices = layers * H * H
    parts.append(
      (
        "the recurrent matrices and their gradient",
        2 * Self.scalar * Double(system.recurrentBlocks) * matrices, Self.smallerModel
      ))
    if system.orthogonal != nil {
      // Base and matrix in Float, two factors in Double.
      parts.append(("the bases of orthogonal matrices", 24 * matrices, Self.smallerModel))
    }
  }

  /// The need of a run, once its data are open and its model is known.
  init(
    _ configuration: TrainingConfiguration, _ workload: Workload, plan: ShardPlan,
    on communicator: Communicator, threads: Int, isTraining: Bool
  ) {
    let P = Self.scalar * Double(workload.model.layout.count)
    let shards = plan.shards(of: communicator.rank).count
    parts.append(
      (
        "the parameters and the gradients of \(shards == 1 ? "1 shard" : "\(shards) shards")",
        P * Double(1 + shards), Self.smallerModel + (shards > 1 ? ", or shards" : "")
      ))
    let extent = workload.stream.extent(isTraining: isTraining)
    let (T, N) = (extent.steps, extent.rows)
    let recompute = max(Int(Double(T).squareRoot().rounded()), 2)
    let keepsLess =
      configuration.model.recomputeEvery == 0 && isTraining
      ? ", or set model.recompute_every=\(recompute)" : ""
    parts.append(
      (
        "the \(isTraining ? "activations" : "states") of T=\(T) steps and N=\(N) sequences",
        workload.model.workingBytes(extent, threads: threads, isTraining: isTraining),
        "lower batch_size or model.hidden_size\(keepsLess)"
      ))
    if isTraining {
      let settings = configuration.optimizer
      let slots = Set(
        settings.groups(settings.rule, of: workload.model.layout).flatMap(\.rule.slots)
      )
      .count
      let share = 1 / Double(communicator.size)
      parts.append(
        (
          "the optimizer's state", P * Double(slots) * (settings.splitState ? share : 1),
          Self.smallerModel + ", or set optimizer.split_state=true"
        ))
      // Rank 0's copy has all parameters, for their checksum.
      let whole = communicator.rank == 0 ? 1 : share
      parts.append(
        ("a copy for checkpoints", P * (whole + Double(slots) * share), Self.smallerModel))
    }
    parts.append(
      ("the data and the program", Double(ProcessMemory.privateBytes ?? 0), "lower dataset.memory"))
  }

  /// What a rank sends to the others.
  struct Report: Codable {
    var host: Int
    var name: String
    var bytes: Double
    var memory: MachineMemory
  }

  /// Throws on every rank if the ranks of any host need more than it has: the system would kill one
  /// of them without a message. Every rank calls this.
  func refuse(on communicator: Communicator) throws(RunFailure) {
    let texts: [[UInt8]]
    let agreement = Agreement(communicator)
    let hosts: [Int]
    do {
      hosts = try communicator.hosts()
    } catch {
      throw RunFailure(error)
    }
    let mine = Report(
      host: hosts[communicator.rank], name: MPI.Environment.processorName, bytes: bytes,
      memory: .here())
    do {
      texts = try communicator.allgather(
        try agreement.together { Array(try JSONEncoder().encode(mine)) })
    } catch {
      throw RunFailure(error)
    }
    let reports = try agreement.together {
      try texts.map { try JSONDecoder().decode(Report.self, from: Data($0)) }
    }
    // The message of one rank, with which all ranks end.
    try agreement.together {
      guard let excess = Self.excess(of: reports)[communicator.rank] else { return }
      throw RunFailure(.configuration, "\(description(for: excess)); \(cure)")
    }
  }

  /// A limit, and the need of the ranks under it.
  struct Excess: Equatable {
    var needed: Double
    var ranks: Int
    /// What sets the limit.
    var place: String
    var limit: Double
  }

  /// For each rank, the limit that it exceeds together with the ranks that share it, if any.
  static func excess(of reports: [Report]) -> [Excess?] {
    reports.map { own in
      func sum(_ isOne: (Report) -> Bool) -> (bytes: Double, ranks: Int) {
        let those = reports.filter(isOne)
        return (those.reduce(0) { $0 + $1.bytes }, those.count)
      }
      let host = sum { $0.host == own.host }
      let group = sum { $0.host == own.host && $0.memory.group == own.memory.group }
      let limits: [((bytes: Double, ranks: Int), String, Double?)] = [
        ((own.bytes, 1), "ulimit -v on \(own.name) allows", own.memory.processBytes),
        (group, "the control group on \(own.name) allows", own.memory.groupBytes),
        (host, "\(own.name) has", own.memory.physicalBytes),
      ]
      let broken = limits.first { need, _, limit in limit.map { need.bytes > $0 } ?? false }
      return broken.map {
        Excess(needed: $0.0.bytes, ranks: $0.0.ranks, place: $0.1, limit: $0.2 ?? 0)
      }
    }
  }

  /// The message for too little memory, the largest parts first.
  func description(for excess: Excess) -> String {
    let largest = parts.sorted { $0.bytes > $1.bytes }.filter { $0.bytes >= 0.05 * bytes }
    let list = largest.map { "\($0.name) \(Self.amount($0.bytes))" }.joined(separator: ", ")
    let ranks =
      excess.ranks == 1
      ? "this run needs" : "this run needs, for \(excess.ranks) ranks,"
    return "\(ranks) at least \(Self.amount(excess.needed)) of memory, and \(excess.place)"
      + " \(Self.amount(excess.limit)) (\(list)\(excess.ranks == 1 ? "" : " each"))"
  }

  /// How to reduce the largest part.
  var cure: String { parts.max { $0.bytes < $1.bytes }?.cure ?? Self.smallerModel }

  private static func amount(_ bytes: Double) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6)]
    let (name, size) = units.first { bytes >= $0.1 } ?? units[2]
    return "\(brief(bytes / size, digits: 3)) \(name)"
  }
}
