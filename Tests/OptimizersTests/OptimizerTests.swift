// SPDX-License-Identifier: Apache-2.0

import Foundation
import Optimizers
import Tensors
import TestSupport
import Testing

@Suite struct OptimizerTests {
  /// f(w) = ½ Σ a_i (w_i - 1)², whose minimum every rule must find.
  @Test(arguments: [
    (SGD(momentum: 0.9) as any UpdateRule, 0.02), (SGD(momentum: 0.9, nesterov: true), 0.02),
    (RMSProp(), 0.01), (RMSProp(alpha: 0.9, momentum: 0.5, centered: true), 0.002),
    (Adam(), 0.05), (Adam(amsgrad: true), 0.05), (Adam(decoupled: true), 0.05),
    (ASGD(), 0.2),
  ])
  func rulesFindTheMinimumOfABowl(rule: any UpdateRule, rate: Double) {
    var layout = ParameterLayout()
    layout.add("w", shape: [3])
    let w = ParameterBuffer<Double>(layout)
    let optimizer = Optimizer<Double>(rule, learningRate: rate, layout: layout)
    let curvature = [0.5, 1, 3]
    for step in 0..<2000 {
      let gradient = Tensor((0..<3).map { curvature[$0] * (w.flat[$0] - 1) })
      optimizer.update(w, gradients: gradient, rateFactor: step < 1500 ? 1 : 0.1)
    }
    expectClose(w.flat.array, [1, 1, 1], absolute: 2e-2, rule.name)
  }

  @Test func groupsHaveRulesAndRatesOfTheirOwn() {
    var layout = ParameterLayout()
    for name in ["rnn.weight", "rnn.skew_l0", "readout.weight", "frozen"] {
      layout.add(name, shape: [2])
    }
    let w = ParameterBuffer<Double>(layout)
    let optimizer = Optimizer<Double>(
      [
        ParameterGroup("*.skew_l*", Adam(), learningRate: 0.25),
        ParameterGroup("rnn.*", SGD(), learningRate: 0.5),
        ParameterGroup("readout.*", SGD(momentum: 0.9), learningRate: 2),
      ], layout: layout)
    #expect(optimizer.slots.map(\.name) == ["exp_avg", "exp_avg_sq", "momentum_buffer"])
    optimizer.update(w, gradients: Tensor(Array(repeating: 1, count: 8)), rateFactor: 0.5)
    // SGD moves by rate · factor, and Adam's first step by the rate for any gradient.
    expectClose(
      w.flat.array, [-0.25, -0.25, -0.125, -0.125, -1, -1, 0, 0], absolute: 1e-8, "parameters")
    #expect(optimizer[slot: "momentum_buffer"]?.flat.array == [0, 0, 0, 0, 1, 1, 0, 0])
  }

  /// Updates in slices have the bits of the whole update, for every rule: with tensors whose rows
  /// do not divide, one with fewer rows than parts, and a group without state.
  @Test(
    arguments: [
      Adam(), Adam(weightDecay: 0.1, amsgrad: true), Adam(weightDecay: 0.1, decoupled: true),
      RMSProp(momentum: 0.9, centered: true), SGD(momentum: 0.9, nesterov: true),
      ASGD(lambda: 0, start: 0),
    ] as [any UpdateRule]) func aSplitStateGivesTheBitsOfAWholeOne(rule: any UpdateRule)
  {
    var layout = ParameterLayout()
    layout.add("embedding.weight", shape: [37, 5])
    layout.add("plain", shape: [6, 3])
    layout.add("rnn.skew_l0", shape: [2, 2])
    layout.add("bias", shape: [29])
    let groups = [
      ParameterGroup("*.skew_l*", Adam(), learningRate: 0.01),
      ParameterGroup("plain", SGD(), learningRate: 0.1), ParameterGroup(rule, learningRate: 0.1),
    ]
    let start = Tensor((0..<layout.count).map { Float(sin(Double($0))) })
    let parts = 3
    let whole = ParameterBuffer(layout, over: start.copy())
    let pieces = (0..<parts).map { _ in ParameterBuffer(layout, over: start.copy()) }
    let one = Optimizer<Float>(groups, layout: layout)
    let several = (0..<parts).map {
      Optimizer<Float>(groups, layout: layout, slice: RowSlice($0, of: parts))
    }
    #expect(several[0].split.map(\.name) == ["embedding.weight", "rnn.skew_l0", "bias"])
    for step in 0..<5 {
      let gradient = Tensor((0..<layout.count).map { Float(cos(Double($0 * (step + 3)))) })
      one.update(whole, gradients: gradient)
      for part in 0..<parts { several[part].update(pieces[part], gradients: gradient) }
      for entry in several[0].split {
        for (owner, optimizer) in several.enumerated() {
          let elements = optimizer.slice.elements(of: entry)
          for piece in pieces {
            piece.flat.elements(elements).copy(from: pieces[owner].flat.elements(elements))
          }
        }
      }
      for piece in pieces {
        #expect(piece.flat.array.map(\.bitPattern) == whole.flat.array.map(\.bitPattern))
      }
    }
    for (index, slot) in one.slots.enumerated() {
      #expect(
        several.reduce(0) { $0 + $1.slots[index].buffer.flat.count } == layout.count, "\(slot.name)"
      )
      let shown = ParameterBuffer<Float>(layout)
      for optimizer in several { optimizer.copy(slot: slot.name, to: shown) }
      #expect(shown.flat.array == slot.buffer.flat.array, "\(slot.name)")
    }
  }

  @Test func clippingLimitsTheNormAndKeepsTheDirection() {
    let gradient = Tensor<Float>([3, 4])
    #expect(clipNorm(of: gradient, to: 1) == 5)
    #expect(abs(norm(of: gradient) - 1) < 1e-5)
    #expect(abs(gradient[0] / gradient[1] - 0.75) < 1e-6)
    let small = Tensor<Float>([0.3, 0.4])
    clipNorm(of: small, to: 1)
    #expect(small.array == [0.3, 0.4])
  }
}

@Suite struct ScheduleTests {
  private func factor(
    _ schedule: LearningRateSchedule, step: Int = 0, epoch: Int = 0, losses: [Double] = []
  ) -> Double {
    schedule.factor(
      .init(step: step, totalSteps: 100, epoch: epoch, validationLosses: losses))
  }

  @Test func factorsFollowFromThePosition() {
    #expect(factor(.constant, step: 70) == 1)
    #expect(
      (0..<5).map { factor(.step(every: 2, decay: 0.5), epoch: $0) } == [1, 1, 0.5, 0.5, 0.25])
    expectClose(
      [0, 50, 100].map { factor(.cosine, step: $0) }, [1, 0.5, 0], absolute: 1e-15)
    let warm = LearningRateSchedule.constant.warmedUp(over: 4)
    #expect((0..<6).map { factor(warm, step: $0) } == [0.25, 0.5, 0.75, 1, 1, 1])
    // Of 100 steps 20 warm up, and the cosine is that of the other 80.
    let late = LearningRateSchedule.cosine(from: 20).warmedUp(over: 20)
    expectClose(
      [0, 9, 19, 20, 60, 100].map { factor(late, step: $0) }, [0.05, 0.5, 1, 1, 0.5, 0],
      absolute: 1e-15)
  }

  @Test func aPlateauHalvesTheRate() {
    let schedule = LearningRateSchedule.plateau(patience: 1, decay: 0.5)
    #expect(factor(schedule, losses: [3, 2, 2.5]) == 1)
    #expect(factor(schedule, losses: [3, 2, 2.5, 2.4]) == 0.5)
    #expect(factor(schedule, losses: [3, 2, 2.5, 2.4, 1, 1, 1]) == 0.25)
  }

  /// The rule as the authors wrote it: with window n, after more than n earlier epochs, the last
  /// loss is above the smallest of all but the n before it.
  @Test func averagingStartsWhenValidationStopsFalling() {
    #expect(!shouldStartAveraging(validationLosses: [3, 4], window: 2))
    #expect(!shouldStartAveraging(validationLosses: [5, 4, 3, 2], window: 2))
    #expect(shouldStartAveraging(validationLosses: [2, 4, 3, 2.5], window: 2))
    #expect(!shouldStartAveraging(validationLosses: [9, 2, 2, 3], window: 2))
  }
}
