// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import Foundation
import HDF5
import Models
import Tensors
import TestSupport
import Testing
import Threads

@testable import Training

/// Models and streams, separately and together.
@Suite struct WorkloadTests {
  private func workload(_ yaml: String, ranks: Int = 1, rank: Int = 0) throws -> Workload {
    let configuration = try TrainingConfiguration(
      yaml: yaml + "\nmodel: {hidden_size: 4}\nbatch_size: 6\nshards: 4", path: "run.yaml")
    return try configuration.dataset.task.make(configuration).workload(
      configuration, plan: ShardPlan(shards: 4, ranks: ranks), rank: rank)
  }

  /// Sequences that are generated, and a text in `folder`.
  private static func yamls(in folder: String) throws -> [String] {
    var (words, number) = ([String](), 1)
    for word in 0..<600 {
      number = (number * 5 + (word % 7 == 0 ? 3 : 1)) % 31
      words.append("w\(number)")
    }
    let (texts, path) = ("\(folder)/text.txt", "\(folder)/text.h5")
    try Data(words.joined(separator: " ").utf8).write(to: URL(fileURLWithPath: texts))
    try TextCorpus(TextFolder(texts).files, level: .word).write(to: path)
    return [
      "dataset: {task: adding, steps: 9, train_count: 40, validation_count: 13}",
      "dataset: {task: denoise, steps: 9, symbols: 2, train_count: 40, validation_count: 13}",
      "dataset: {task: language_model, file: \(path)}\n"
        + "language_model: {embedding_size: 3, chunk_length: 7, evaluation_columns: 2}",
    ]
  }

  /// A gradient of the step at a position.
  private func gradient(
    _ workload: Workload, _ position: StepPosition, advancing: Bool = false
  ) throws -> [UInt32] {
    let parameters = ParameterBuffer<Float>(workload.model.layout)
    workload.model.initialize(parameters, seed: 1, gateBias: 1)
    try workload.load(position)
    try workload.prefetch(after: position)
    try workload.prepare(parameters, advancing: true)
    let gradients = ShardedBuffer<Float>(
      workload.model.layout, shards: workload.stream.extent(isTraining: true).ownShards)
    _ = workload.accumulateGradients(parameters, into: gradients)
    if advancing { workload.advance() }
    return gradients.flat.array.map(\.bitPattern)
  }

  /// A batch depends only on its position, not on earlier reads. So does the start of an epoch of a
  /// text, whose state is carried.
  @Test func aBatchFollowsFromItsPosition() throws {
    try Places.withTemporaryFolder { folder in
      for yaml in try Self.yamls(in: folder) {
        let (once, again) = (try workload(yaml), try workload(yaml))
        let position = StepPosition(step: 5, epoch: 1, index: 0)
        for index in 0..<2 {
          _ = try gradient(
            once, StepPosition(step: index, epoch: 0, index: index), advancing: true)
        }
        let later = try gradient(once, position)
        #expect(try gradient(again, position) == later, "\(yaml)")
        let next = StepPosition(step: 5, epoch: 1, index: 1)
        #expect(try gradient(again, next) != later, "\(yaml)")
      }
    }
  }

  /// An evaluation between two steps leaves the carried state, and the next batch, alone.
  @Test func anEvaluationLeavesTheRunAlone() throws {
    try Places.withTemporaryFolder { folder in
      for yaml in try Self.yamls(in: folder) {
        func run(evaluating: Bool) throws -> (bits: [UInt32], losses: [Totals]) {
          let workload = try workload(yaml)
          let parameters = ParameterBuffer<Float>(workload.model.layout)
          workload.model.initialize(parameters, seed: 1, gateBias: 1)
          _ = try gradient(workload, StepPosition(step: 0, epoch: 0, index: 0), advancing: true)
          var losses: [Totals] = []
          if evaluating {
            for _ in 0..<2 {
              let evaluation = try workload.evaluation(of: .validation)
              #expect(evaluation.batches > 1)
              try workload.prepare(parameters, advancing: false)
              var sum = Totals()
              for index in 0..<evaluation.batches {
                try evaluation.load(index)
                for totals in evaluation.run(parameters) { sum = sum + totals }
              }
              losses.append(sum)
            }
          }
          let position = StepPosition(step: 1, epoch: 0, index: 1)
          return (try gradient(workload, position), losses)
        }
        let (plain, evaluated) = (try run(evaluating: false), try run(evaluating: true))
        #expect(plain.bits == evaluated.bits, "\(yaml)")
        // Each evaluation starts from a zero state.
        #expect(evaluated.losses[0] == evaluated.losses[1] && evaluated.losses[0].elements > 0)
      }
    }
  }

  /// Each rank reads its own rows: together they have the losses of one.
  @Test func ranksShareTheBatch() throws {
    try Places.withTemporaryFolder { folder in
      for yaml in try Self.yamls(in: folder) {
        func totals(ranks: Int) throws -> [Totals] {
          try (0..<ranks).flatMap { rank in
            let workload = try workload(yaml, ranks: ranks, rank: rank)
            let parameters = ParameterBuffer<Float>(workload.model.layout)
            workload.model.initialize(parameters, seed: 1, gateBias: 1)
            try workload.load(StepPosition(step: 0, epoch: 0, index: 0))
            try workload.prepare(parameters, advancing: true)
            let own = workload.stream.extent(isTraining: true).ownShards
            return workload.accumulateGradients(
              parameters, into: ShardedBuffer(workload.model.layout, shards: own))
          }
        }
        let alone = try totals(ranks: 1)
        #expect(alone.count == 4 && alone.allSatisfy { $0.elements > 0 })
        for ranks in [2, 3, 4] { #expect(try totals(ranks: ranks) == alone, "\(ranks) ranks") }
      }
    }
  }

  /// A shard that any rank computes alone, before its own pass, has the bits that its owner gets, and
  /// leaves the rank's own pass as it is. The text has masks and carried state.
  @Test func aShardComputedAgainHasTheSameBits() throws {
    try Places.withTemporaryFolder { folder in
      for yaml in try Self.yamls(in: folder) {
        for threads in [1, 2] {
          let (plain, audited) = (try workload(yaml), try workload(yaml))
          for workload in [plain, audited] { workload.model.team = try ThreadTeam(threads) {} }
          let layout = plain.model.layout
          let parameters = ParameterBuffer<Float>(layout)
          plain.model.initialize(parameters, seed: 1, gateBias: 1)
          for step in 0..<4 {
            let position = StepPosition(step: step, epoch: 0, index: step)
            let whole = ShardedBuffer<Float>(layout, shards: 4)
            try plain.load(position)
            try plain.prepare(parameters, advancing: true)
            let totals = plain.accumulateGradients(parameters, into: whole)

            let again = ShardedBuffer<Float>(layout, shards: 4)
            let plan = ShardPlan(shards: 4, ranks: 1)
            try audited.load(position)
            try audited.loadShard(step, at: position)
            try audited.prepare(parameters, advancing: true)
            let rows = plan.rows(of: step, in: 6)
            let alone = audited.recompute(
              from: audited.model.carried.map { $0.rows.rows(rows).copy() }, parameters,
              into: ShardedBuffer(layout, over: again.flat.rows(0..<1)))
            #expect(alone == totals[step], "\(yaml), step \(step)")
            #expect(bits(again.flat.row(0)) == bits(whole.flat.row(step)), "\(yaml), step \(step)")

            again.flat.fill(0)
            #expect(audited.accumulateGradients(parameters, into: again) == totals)
            #expect(bits(again.flat) == bits(whole.flat))
            plain.advance()
            audited.advance()
          }
        }
      }
    }
  }

  private func bits(_ numbers: Tensor<Float>) -> [UInt32] { numbers.array.map(\.bitPattern) }

  /// The baseline loss of a user's own file follows from its numbers, and that of a prepared one
  /// from its attributes.
  @Test func aFilesBaselineIsThatOfItsOwnTargets() throws {
    try Places.withTemporaryFolder { folder in
      let (own, prepared) = ("\(folder)/own.h5", "\(folder)/prepared.h5")
      let file = try HDF5.File.create(own)
      try file.write((0..<16).map { Float($0) }, to: "train/inputs", shape: [4, 2, 2])
      try file.write([1, 2, 3, 6] as [Float], to: "train/targets", shape: [4, 1])
      try file.close()
      try GeneratedFile.write(
        [.train: AddingProblem(count: 5, steps: 4, seed: 1, part: .train)], to: prepared)
      func chance(_ path: String, _ more: String = "") throws -> ChanceLoss? {
        try workload(
          "dataset: {task: adding, file: \(path), validation_count: 0\(more)}"
        ).stream.chance
      }
      let names = ", inputs: '{part}/inputs', targets: '{part}/targets'"
      #expect(try chance(own, names) == ChanceLoss(3.5, "the best constant answer"))
      #expect(
        try chance(prepared) == ChanceLoss(AddingProblem.chanceError, "answering 1 always"))
    }
  }

  /// The loss over the recalled symbols alone is that over all steps without those of the blank, on
  /// a file as on generated sequences; guessing costs ln A.
  @Test(arguments: ["copying", "denoise"]) func onlyRecalledSymbolsCount(_ task: String) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      let placement = try #require(RecallProblem.Placement(rawValue: task))
      let problem = RecallProblem(
        placement, count: 6, delay: 6, symbols: 3, alphabet: 5, seed: 0, part: .train)
      try GeneratedFile.write([.train: problem], to: path)
      func run(_ data: String) throws -> (totals: Totals, chance: ChanceLoss?, name: String) {
        let yaml = "dataset: {task: \(task), \(data)}"
        let workload = try workload(yaml)
        let parameters = ParameterBuffer<Float>(workload.model.layout)
        workload.model.initialize(parameters, seed: 1, gateBias: 1)
        try workload.load(StepPosition(step: 0, epoch: 0, index: 0))
        try workload.prepare(parameters, advancing: true)
        let totals = workload.accumulateGradients(
          parameters, into: ShardedBuffer(workload.model.layout, shards: 4))
        let configuration = try TrainingConfiguration(yaml: yaml, path: "run.yaml")
        return (
          totals.reduce(Totals(), +), workload.stream.chance,
          configuration.dataset.task.make(configuration).lossName
        )
      }
      let sizes = "steps: 6, symbols: 3, alphabet: 5, train_count: 6"
      let all = try run(sizes)
      let recalled = try run("\(sizes), loss: recalled")
      let stored = try run("file: \(path), loss: recalled")
      #expect(all.totals.elements == 6 * 12 && recalled.totals.elements == 6 * 3)
      #expect(recalled.totals == stored.totals)
      #expect(recalled.totals.own == all.totals.own, "both judge the symbols alone")
      #expect(recalled.totals.weight == 18 && recalled.totals.loss < all.totals.loss)
      // An untrained model guesses among all classes.
      #expect(abs(recalled.totals.meanLoss - log(6)) < 0.5)
      for chance in [recalled.chance, stored.chance] {
        #expect(chance == ChanceLoss(log(5), "ln 5, guessing"))
      }
      #expect(all.chance == ChanceLoss(problem.chanceLoss, RecallProblem.chanceMeaning))
      #expect(recalled.name == "cross-entropy per recalled symbol")
      #expect(all.name == "cross-entropy per step")
    }
  }

  /// The substitute for a file that cannot be read has classes, for any task.
  @Test func aProbeWithoutItsDataAsksForClasses() throws {
    let configuration = try TrainingConfiguration(
      yaml: "dataset: {task: adding, file: /nowhere/set.h5}\nmodel: {hidden_size: 4}",
      path: "run.yaml")
    let curve = try ProbeSubject("none", configuration).curve(steps: 3, features: 2, batch: 2)
    #expect(curve.data == "random, as /nowhere/set.h5 cannot be read" && curve.norms.count == 3)
  }

  /// Checkpoints hold these words, and a run with others is refused.
  @Test func generatedSequencesAreKnownByTheirSettings() throws {
    func generated(_ task: String, _ more: String = "") throws -> String? {
      try workload("dataset: {task: \(task), steps: 9, train_count: 5\(more)}")
        .stream.identity(validating: true).generated
    }
    #expect(try generated("adding") == "adding steps=9")
    #expect(try generated("copying", ", symbols: 2") == "copying steps=9 symbols=2 alphabet=8")
    #expect(try generated("denoise", ", symbols: 2") == "denoise steps=9 symbols=2 alphabet=8")
  }

  /// Classes where a task learns numbers: one line, not a trap.
  @Test func targetsThatTheObjectiveCannotCompareWithAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write((0..<36).map { Float($0) }, to: "train/inputs", shape: [6, 3, 2])
      try file.write([0, 1, 2, 0, 1, 2], to: "train/targets")
      try file.close()
      let yaml =
        "dataset: {task: adding, file: \(path), inputs: '{part}/inputs',"
        + " targets: '{part}/targets', validation_count: 0}"
      let error = #expect(throws: RunFailure.self) { _ = try workload(yaml) }
      #expect(error?.status == .unusableData)
      let configuration = try TrainingConfiguration(yaml: yaml, path: "run.yaml")
      let probing = #expect(throws: RunFailure.self) {
        try ProbeSubject("own", configuration).curve(steps: 3, features: 2, batch: 2)
      }
      #expect(probing?.description == error?.description)
      #expect(
        error?.description
          == "\(path): the targets are classes 3, which mean squared error does not accept;"
          + " set another dataset.task, or store other targets")
    }
  }
}
