// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kernels
import Models
import RandomNumbers
import Tensors
import TestSupport
import Testing

/// Tests of every line of the table of objectives.
@Suite struct ObjectiveTableTests {
  static let rows = 9

  /// Random targets of a kind, some of them unknown where a kind has such.
  private func targets(_ kind: TargetKind, rows: Int = Self.rows) -> SequenceTargets {
    var stream = RandomStream(seed: 3, purpose: .testing, index: 1)
    let count = rows * kind.width
    func whole(_ smallest: Int, _ largest: Int) -> [Int32] {
      (0..<count).map { _ in Int32(smallest + stream.below(largest - smallest + 1)) }
    }
    return switch kind.answer {
    case .oneClass: SequenceTargets(kind, whole: whole(0, kind.outputs - 1))
    case .numbers: SequenceTargets(kind, numbers: (0..<count).map { _ in Float(stream.normal()) })
    case .labels: SequenceTargets(kind, whole: whole(-1, 1))
    case .counts: SequenceTargets(kind, whole: whole(-1, 5))
    }
  }

  private func answers<Scalar: KernelScalar>(_ kind: TargetKind, as: Scalar.Type) -> Tensor<Scalar>
  {
    var stream = RandomStream(seed: 3, purpose: .testing, index: 2)
    let y = Tensor<Scalar>(shape: [Self.rows, kind.outputs])
    for index in 0..<y.count { y[index] = Scalar(Float(1.5 * stream.normal())) }
    return y
  }

  @Test(arguments: ObjectiveTable.all)
  func gradientIsThatOfCentralDifferences(_ entry: ObjectiveEntry) {
    let (y, targets) = (answers(entry.kind, as: Double.self), targets(entry.kind))
    let gradient = Tensor<Double>(shape: y.shape)
    let totals = entry.objective.totals(of: y, targets, gradient: gradient)
    checkGradient("\(entry)", of: y, gradient: gradient.array, tolerance: 1e-8) {
      entry.objective.totals(of: y, targets, gradient: nil).loss
    }
    #expect(totals == entry.objective.totals(of: y, targets, gradient: nil))
    #expect(totals.own.count == entry.objective.sums.count && totals.elements > 0)
    #expect(entry.objective.noTotals.values.count == totals.values.count)
    // A model of text has no room for both.
    let inPlace = entry.objective.totals(of: y.copy(), targets, gradient: y)
    #expect(inPlace == totals && y.array == gradient.array)
  }

  @Test(arguments: ObjectiveTable.all)
  func floatAgreesWithDouble(_ entry: ObjectiveEntry) {
    func run<Scalar: KernelScalar>(as type: Scalar.Type) -> (Totals, [Double]) {
      let y = answers(entry.kind, as: type)
      let gradient = Tensor<Scalar>(shape: y.shape)
      let totals = entry.objective.totals(of: y, targets(entry.kind), gradient: gradient)
      return (totals, gradient.array.map { Double($0) })
    }
    let (single, double) = (run(as: Float.self), run(as: Double.self))
    expectClose([single.0.loss], [double.0.loss], relative: 2e-6, "loss")
    expectClose(single.1, double.1, absolute: 2e-6, relative: 2e-6, "gradient")
    #expect(single.0.values.dropFirst().prefix(3) == double.0.values.dropFirst().prefix(3))
    expectClose(single.0.own, double.0.own, absolute: 1e-5, relative: 1e-5, "sums")
  }

  /// Shards rely on this promise: a row has the same bits alone and among others.
  @Test(arguments: ObjectiveTable.all)
  func rowsApartGiveWhatTheyGiveTogether(_ entry: ObjectiveEntry) {
    let (y, targets) = (answers(entry.kind, as: Float.self), targets(entry.kind))
    let (whole, part) = (Tensor<Float>(shape: y.shape), Tensor<Float>(shape: y.shape))
    let all = entry.objective.totals(of: y, targets, gradient: whole)
    var sum = Totals()
    for range in [0..<4, 4..<4, 4..<Self.rows] {
      sum =
        sum
        + entry.objective.totals(
          of: y.rows(range), targets.rows(range), gradient: part.rows(range))
    }
    #expect(part.array.map(\.bitPattern) == whole.array.map(\.bitPattern))
    #expect(sum.elements == all.elements && sum.weight == all.weight)
    expectClose(sum.own, all.own, absolute: 1e-13, relative: 1e-14, "sums")
    expectClose([sum.loss], [all.loss], relative: 1e-14, "loss")
  }

  /// At the best constant the gradient of that constant vanishes, and any other costs more.
  @Test(arguments: ObjectiveTable.all)
  func noConstantAnswerIsBetterThanTheBest(_ entry: ObjectiveEntry) {
    let targets = targets(entry.kind, rows: 40)
    let best = entry.objective.bestConstant(for: targets)
    func run(_ row: [Double]) -> (loss: Double, gradient: [Double]) {
      let y = Tensor<Double>(shape: [40, row.count])
      for index in 0..<40 { y.row(index).copy(from: row) }
      let gradient = Tensor<Double>(shape: y.shape)
      let totals = entry.objective.totals(of: y, targets, gradient: gradient)
      return (
        totals.meanLoss,
        row.indices.map { k in (0..<40).reduce(0) { $0 + gradient[$1 * row.count + k] } }
      )
    }
    let chance = entry.objective.chance(of: targets)
    #expect(chance.value == run(best).loss)
    #expect(run(best).gradient.allSatisfy { abs($0) < 1e-10 }, "\(run(best).gradient)")
    // The best answer to a class that never occurs is the smallest number.
    for k in best.indices where best[k] > -700 {
      for change in [-0.1, 0.1] {
        var other = best
        other[k] += change
        #expect(run(other).loss > chance.value)
      }
    }
    if let guessing = entry.objective.chance(entry.kind) {
      #expect(guessing.value >= chance.value)
      let zeros = [Double](repeating: 0, count: entry.kind.outputs)
      expectClose([run(zeros).loss], [guessing.value], relative: 1e-12, "guessing")
    }
  }

  @Test(arguments: ObjectiveTable.all)
  func acceptsItsOwnKindAlone(_ entry: ObjectiveEntry) {
    #expect(entry.objective.accepts(entry.kind))
    for answer in TargetKind.Answer.allCases where answer != entry.kind.answer {
      let other = TargetKind(answer, outputs: entry.kind.outputs, isEveryStep: false)
      #expect(!entry.objective.accepts(other))
    }
  }
}

@Suite struct ObjectiveTests {
  @Test func classesThatNobodyAsksAboutAreNotJudged() {
    // Rows 0 and 1 are of the blank, class 0; of the others one answer is right.
    let logits = Tensor<Double>([5, 0, 0, 0, 5, 0, 0, 5, 0, 0, 5, 0], shape: [4, 3])
    let classes = SequenceTargets.classes([0, 0, 1, 2], of: 3)
    let judging = CrossEntropy(unjudgedClass: 0)
    let all = CrossEntropy().totals(of: logits, classes, gradient: nil)
    let some = judging.totals(of: logits, classes, gradient: nil)
    #expect(all.own == [2, 4] && CrossEntropy().metrics(all)[0].value == 0.5)
    #expect(some.own == [1, 2] && judging.metrics(some)[0].value == 0.5)
    #expect(some.loss == all.loss && some.elements == 4)
    // A text has no count of correct words.
    #expect(CrossEntropy.perToken.totals(of: logits, classes, gradient: nil).own == [])
  }

  /// As if the rows of the class were not there, but for zeros in the gradient.
  @Test func rowsOfAnIgnoredClassDoNotCount() {
    let logits = Tensor<Double>([5, 0, 0, 0, 5, 0, 0, 5, 0, 0, 5, 0], shape: [4, 3])
    let gradient = Tensor<Double>(shape: [4, 3])
    gradient.fill(7)
    let ignoring = CrossEntropy(ignoredClass: 0).totals(
      of: logits, .classes([0, 0, 1, 2], of: 3), gradient: gradient)
    let alone = Tensor<Double>(shape: [2, 3])
    let rest = CrossEntropy().totals(
      of: logits.rows(2..<4), .classes([1, 2], of: 3), gradient: alone)
    #expect(ignoring == rest && rest.elements == 2 && rest.own == [1, 2])
    #expect(gradient.array == [Double](repeating: 0, count: 6) + alone.array)
  }

  /// The weighted mean, and its gradient, by hand: Σ w_k (-log p_k) / Σ w_k.
  @Test func weightedCrossEntropyIsDividedByTheSumOfWeights() {
    let z = Tensor<Double>([0.5, -1, 2, 1, 0, -0.5, 0, 0.25, 0.125], shape: [3, 3])
    let objective = CrossEntropy(classWeights: [0.5, 2, 1])
    let gradient = Tensor<Double>(shape: [3, 3])
    let totals = objective.totals(
      of: z, .classes([2, 0, 1], of: 3), gradient: gradient)
    // -log softmax of each row's class, by hand.
    let first: Double = log(exp(-1.5) + exp(-3) + 1)
    let second: Double = log(1 + exp(-1) + exp(-1.5))
    let third: Double = log(exp(-0.25) + 1 + exp(-0.125))
    let expected = (first + 0.5 * second + 2 * third) / 3.5
    #expect(totals.weight == 3.5 && totals.elements == 3)
    expectClose([totals.meanLoss], [expected], relative: 1e-14)
    let softmax = exp(0.25) / (1 + exp(0.25) + exp(0.125))
    expectClose([gradient[7] / totals.weight], [2 * (softmax - 1) / 3.5], relative: 1e-14)
    #expect(!objective.accepts(.classes(4)))
  }

  @Test func unknownCountsAndLabelsAreSkipped() {
    let rates = Tensor<Double>([0, 1, -1, 2], shape: [2, 2])
    let gradient = Tensor<Double>(shape: [2, 2])
    gradient.fill(7)
    let counts = PoissonCounts().totals(
      of: rates, SequenceTargets(.stepCounts(2), whole: [2, -100, 0, 1]), gradient: gradient)
    #expect(counts.elements == 3)
    #expect(abs(counts.loss - (1 + 0.36787944117144233 + 7.38905609893065 - 2)) < 1e-12)
    #expect(gradient[0] == -1 && gradient[1] == 0)
    gradient.fill(7)
    let labels = BinaryCrossEntropy().totals(
      of: rates, SequenceTargets(.labels(2), whole: [1, -1, 0, 0]), gradient: gradient)
    // Of 0, -1 and 2 the middle one is right; 0 says no.
    #expect(labels.elements == 3 && labels.own == [1] && gradient[1] == 0)
    #expect(BinaryCrossEntropy().metrics(labels)[0].value == 1.0 / 3)
  }

  /// Logits beyond what exp can hold, and the small rest of one that is right.
  @Test func labelLossIsStableAtLargeLogits() {
    func run<Scalar: KernelScalar>(_ z: Scalar, _ label: Int32) -> (Double, Double) {
      let gradient = Tensor<Scalar>(shape: [1, 1])
      let totals = BinaryCrossEntropy().totals(
        of: Tensor([z], shape: [1, 1]), SequenceTargets(.labels(1), whole: [label]),
        gradient: gradient)
      return (totals.loss, Double(gradient[0]))
    }
    #expect(run(Float(1000), 0) == (1000, 1) && run(Float(-1000), 1) == (1000, -1))
    #expect(run(1000.0, 1) == (0, 0) && run(-1000.0, 0) == (0, 0))
    expectClose([run(Float(20), 1).0], [log1p(exp(-20))], relative: 1e-6)
    expectClose([run(-40.0, 0).0], [exp(-40)], relative: 1e-12)
    expectClose([run(Float(-20), 0).1], [exp(-20)], relative: 1e-6)
  }
}
