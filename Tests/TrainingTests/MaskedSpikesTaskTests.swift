// SPDX-License-Identifier: Apache-2.0

import Configuration
import DataParallel
import Datasets
import HDF5
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing

@testable import Training

/// Masks, held-out neurons and files of the task `masked_spikes`.
@Suite struct MaskedSpikesTaskTests {
  /// Twelve trials of 20 steps of 5 neurons.
  private func write(_ path: String, heldOut: Int = 0, change: [Int: Float] = [:]) throws {
    let file = try HDF5.File.create(path)
    try file.setAttribute("format_version", 1)
    try file.setAttribute("task", "masked_spikes")
    if heldOut > 0 { try file.setAttribute("held_out", heldOut) }
    var stream = RandomStream(seed: 4, purpose: .testing)
    for part in ["train", "test"] {
      var counts = (0..<12 * 20 * 5).map { _ in Float(1 + stream.below(4)) }
      for (place, count) in change { counts[place] = count }
      try file.write(counts, to: "\(part)/spikes", shape: [12, 20, 5])
      try file.write(counts.map { $0 + 0.5 }, to: "\(part)/rates", shape: [12, 20, 5])
    }
    try file.close()
  }

  private func configuration(_ path: String, _ more: String = "") throws -> TrainingConfiguration {
    try TrainingConfiguration(
      yaml: "dataset: {task: masked_spikes, file: \(path), validation_count: 2}\nbatch_size: 5\n"
        + "shards: 4\nmodel: {hidden_size: 4, cell: gru}\n" + more, path: "run.yaml")
  }

  private func stream(
    _ configuration: TrainingConfiguration, ranks: Int = 1, rank: Int = 0
  ) throws -> SequenceStream {
    try SequenceStream(
      configuration, task: MaskedSpikesTask(configuration),
      plan: ShardPlan(shards: configuration.shards, ranks: ranks), rank: rank)
  }

  /// Validation data do not affect the mean rates, in training and in an evaluation.
  @Test func meanRatesAreThoseOfWhatIsTrainedOn() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      let configuration = try configuration("\(folder)/a.h5")
      let train = try SpikeSource(configuration.dataset.place, part: .train)
      let split = SubsetSource.split(train, holdingOut: 2)
      let expected = try train.statistics(of: split.rest.indices).means
      let all = try train.statistics().means
      #expect(split.rest.count == 10 && expected != all)
      for measured in [nil, DatasetFile.Part.test] {
        var configuration = configuration
        configuration.dataset.measured = measured
        let task = MaskedSpikesTask(configuration)
        _ = try task.source(measured ?? .train)
        #expect((task.objective as? SpikeRates)?.meanRates == expected, "\(measured as Any)")
      }
    }
  }

  /// Whole steps are hidden, and they alone are asked for; the next epoch hides others.
  @Test func wholeStepsAreMasked() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      for (masking, zeros) in [("ratio: 0.4", 1.0), ("ratio: 0.4, zero_ratio: 0.0", 0)] {
        let stream = try stream(configuration("\(folder)/a.h5", "masking: {\(masking)}"))
        var patterns: [[Bool]] = []
        for epoch in 0..<2 {
          let batch = try stream.load(StepPosition(step: 0, epoch: epoch, index: 0))
          var (masked, pattern, shown) = (0, [Bool](), 0)
          for row in 0..<batch.targets.rowCount {
            let asked = batch.targets.whole[row * 5..<(row + 1) * 5].map { $0 >= 0 }
            #expect(Set(asked).count == 1, "a step is masked whole")
            pattern.append(asked[0])
            guard asked[0] else {
              #expect((0..<5).allSatisfy { batch.x[row * 5 + $0] > 0 }, "an open step is shown")
              continue
            }
            masked += 1
            shown += (0..<5).count { batch.x[row * 5 + $0] > 0 }
          }
          #expect((20...60).contains(masked), "\(masked) of 100 at a ratio of .4")
          #expect(zeros == 1 ? shown == 0 : shown > 0, "\(shown) counts under the mask")
          #expect(batch.targets.numbers.isEmpty && batch.noise?.sequences.count == 5)
          patterns.append(pattern)
        }
        #expect(patterns[0] != patterns[1])
      }
    }
  }

  /// An evaluation asks for each step once, from a model that does not see it; without folds all is
  /// seen and asked for.
  @Test func evaluationsAskForWhatIsHidden() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      let folded = try stream(configuration("\(folder)/a.h5")).part(.test)
      #expect(folded.steps(inEpoch: 0) == 10, "12 trials in 4 folds, 5 at a time")
      var asked: [Int: Int] = [:]
      for index in 0..<10 {
        let batch = try folded.load(StepPosition(step: 0, epoch: 0, index: index))
        let N = batch.x.shape[1]
        for row in 0..<batch.targets.rowCount {
          let (t, sequence) = (row / N, 5 * index + row % N)
          let isAsked = t % 4 == sequence % 4
          for c in 0..<5 {
            #expect((batch.targets.whole[row * 5 + c] > 0) == isAsked)
            #expect((batch.x[row * 5 + c] == 0) == isAsked)
          }
          if isAsked { asked[sequence / 4 * 20 + t, default: 0] += 1 }
        }
        #expect(batch.noise == nil && batch.targets.numbers.count == batch.targets.whole.count)
      }
      #expect(asked.count == 12 * 20 && asked.values.allSatisfy { $0 == 1 })
      let whole = try stream(configuration("\(folder)/a.h5", "masking: {evaluation_folds: 0}"))
        .part(.test).load(StepPosition(step: 0, epoch: 0, index: 0))
      #expect(whole.x.array == whole.targets.whole.map { Float($0) } && whole.noise == nil)
    }
  }

  /// A trial's mask is the same on any rank.
  @Test func masksDoNotDependOnRanks() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      let settings = try configuration("\(folder)/a.h5", "masking: {max_span: 4}")
      let position = StepPosition(step: 3, epoch: 1, index: 1)
      let all = try stream(settings).load(position)
      var first = 0
      for rank in 0..<2 {
        let own = try stream(settings, ranks: 2, rank: rank).load(position)
        let N = own.x.shape[1]
        let expected = all.targets.sequences(first..<first + N, of: 5)
        #expect(own.targets == expected, "rank \(rank)")
        first += N
      }
      #expect(first == 5)
    }
  }

  /// A span of w steps starts with probability ratio / w, so that the share of masked steps stays.
  @Test func spansKeepTheRatio() {
    var settings = MaskingSettings()
    (settings.ratio, settings.maximumSpan, settings.rampEnd) = (0.2, 3, 10)
    for (epoch, isLong) in [(0, false), (10, true)] {
      let mask = SpikeMask(settings, largestCount: 3, seed: 1, epoch: epoch)
      var (masked, runs) = (0, 0)
      for trial in 0..<300 {
        var stream = RandomStream(seed: 2, purpose: .testing, index: trial)
        let steps = mask.steps(50, &stream)
        masked += steps.count { $0 }
        runs += steps.indices.count { steps[$0] && ($0 == 0 || !steps[$0 - 1]) }
      }
      let share = Double(masked) / 15_000
      #expect(share > 0.16 && share < 0.23, "\(share)")
      let length = Double(masked) / Double(runs)
      // Neighbours that meet by chance make runs of 1 / (1 - ratio) steps.
      #expect(isLong ? length > 1.6 : length < 1.4, "runs of \(length) steps")
    }
  }

  /// Held-out neurons are asked for at every step, and never seen.
  @Test func heldOutNeuronsAreTargetsAlone() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5", heldOut: 2)
      let stream = try stream(configuration("\(folder)/a.h5"))
      #expect(stream.features == 3 && stream.targetKind.outputs == 5)
      let batch = try stream.load(StepPosition(step: 0, epoch: 0, index: 0))
      for row in 0..<batch.targets.rowCount {
        #expect(batch.targets.whole[row * 5 + 3] > 0 && batch.targets.whole[row * 5 + 4] > 0)
      }
      // An evaluation asks for them in a pass of their own, which hides nothing.
      let file = try SpikeSource(configuration("\(folder)/a.h5").dataset.place, part: .test)
      let folded = FoldedSpikes(base: file, folds: 2, hasHeldOutPass: true)
      #expect(folded.count == 36)
      let (plain, x) = (Tensor<Float>(shape: [20, 1, 3]), Tensor<Float>(shape: [20, 3, 3]))
      let all = try file.read([1], into: plain).whole
      let asked = try folded.read([3, 4, 5], into: x).whole
      for t in 0..<20 {
        for pass in 0..<3 {
          let isHidden = pass == t % 2
          for c in 0..<5 {
            let isAsked = pass == 2 ? c >= 3 : isHidden && c < 3
            let place = (t * 3 + pass) * 5 + c
            #expect(asked[place] == (isAsked ? all[t * 5 + c] : -1))
          }
          for c in 0..<3 {
            #expect(x[(t * 3 + pass) * 3 + c] == (isHidden ? 0 : plain[t * 3 + c]))
          }
        }
      }
    }
  }

  /// Trials of unequal lengths keep them in every pass, and their times.
  @Test func foldsKeepLengthsAndTimes() throws {
    let folded = FoldedSpikes(base: RaggedTrials(), folds: 2, hasHeldOutPass: true)
    #expect(folded.count == 6 && folded.steps == 3 && folded.hasTimes)
    #expect((0..<6).map(folded.length(of:)) == [3, 3, 3, 2, 2, 2])
    let times = Tensor<Double>(shape: [3, 2])
    try folded.readTimes([2, 3], into: times)
    #expect(times.array == [0, 10, 1, 11, 2, 12])
    let x = Tensor<Float>(shape: [3, 2, 1])
    _ = try folded.read([1, 5], into: x)
    #expect(x.array == [1, 1, 0, 1, 1, 0], "pass 1 hides step 1, and the last pass nothing")
  }

  /// Two trials of one neuron that is seen and one that is not, of 3 and 2 steps.
  private struct RaggedTrials: SequenceSource {
    var count: Int { 2 }
    var steps: Int { 3 }
    var features: Int { 1 }
    var targetKind: TargetKind { .stepCounts(2) }
    var hasTimes: Bool { true }

    func length(of index: Int) -> Int { 3 - index }

    func read(
      _ indices: ArraySlice<Int>, into x: Tensor<Float>
    ) throws(DatasetError) -> SequenceTargets {
      for t in 0..<3 {
        for (n, index) in indices.enumerated() {
          x[t * indices.count + n] = t < length(of: index) ? 1 : 0
        }
      }
      return .zeros(targetKind, sequences: indices.count, steps: 3)
    }

    func readTimes(
      _ indices: ArraySlice<Int>, into times: Tensor<Double>
    ) throws(DatasetError) {
      for t in 0..<3 {
        for (n, index) in indices.enumerated() {
          times[t * indices.count + n] = Double(10 * index + t)
        }
      }
    }
  }

  @Test func whatDoesNotFitIsRefusedInOneLine() throws {
    try Places.withTemporaryFolder { folder in
      try write("\(folder)/a.h5")
      try write("\(folder)/negative.h5", change: [107: -1])
      try write("\(folder)/half.h5", change: [3: 0.5])
      try write("\(folder)/all.h5", heldOut: 5)
      func problem(_ file: String, _ more: String = "") -> String {
        do {
          let configuration = try TrainingConfiguration(
            yaml: "dataset: {task: masked_spikes, file: \(folder)/\(file)}\n" + more,
            path: "run.yaml")
          _ = try MaskedSpikesTask(configuration).workload(
            configuration, plan: ShardPlan(shards: 8, ranks: 1), rank: 0)
          return "nothing"
        } catch {
          return "\(error)"
        }
      }
      let cases = [
        ("negative.h5", "", "train/spikes[1, 1, 2] is -1.0, which is not a count of spikes"),
        ("half.h5", "", "train/spikes[0, 0, 3] is 0.5"),
        ("all.h5", "", "holds out 5 of 5 neurons"),
        ("a.h5", "model: {cell: ndt}\nndt: {embedding: raw}", "ndt.heads is 2"),
        (
          "a.h5", "model: {cell: ndt}\nndt: {position: learned, maximum_steps: 9}",
          "ndt.maximum_steps is 9"
        ),
        ("a.h5", "model: {cell: ndt, bidirectional: true}", "set model.bidirectional=false"),
        ("a.h5", "ndt: {heads: 1}", "ndt.heads is not used by model.cell=momentum_lstm"),
        (
          "a.h5", "model: {cell: ndt}\nndt: {embedding_size: 3}",
          "ndt.embedding_size is not used by ndt.embedding=linear"
        ),
      ]
      for (file, more, expected) in cases {
        let found = problem(file, more)
        #expect(found.contains(expected), "\(file) \(more): \(found)")
      }
      let other = #expect(throws: (any Error).self) {
        _ = try TrainingConfiguration(yaml: "masking: {ratio: 0.5}", path: "run.yaml")
      }
      #expect(
        "\(other.map { "\($0)" } ?? "")".contains("masking.ratio is not used by dataset.task"))
    }
  }
}
