// SPDX-License-Identifier: Apache-2.0

import Configuration
import Optimizers
import Tensors
import Testing

@testable import Training

@Suite struct OptimizerGroupTests {
  /// A layout with meaningless names: only the roles show which parameter is a skew matrix.
  private var layout: ParameterLayout {
    var layout = ParameterLayout()
    layout.add("first.W", shape: [2, 2])
    layout.add("first.A", shape: [2, 2], role: .skewMatrix)
    layout.add("first.skew_l0", shape: [2])
    layout.add("second.A", shape: [2, 2], role: .skewMatrix)
    return layout
  }

  private func groups(_ factors: String) -> [String: ParameterGroup] {
    var settings = OptimizerSettings()
    settings.name = .rmsprop
    settings.orthogonalRule = .adam
    settings.learningRate = 1
    settings.orthogonalLearningRate = 0.25
    settings.rateFactors = factors
    let groups = settings.groups(settings.rule, of: layout)
    return Dictionary(
      uniqueKeysWithValues: layout.entries.map { entry in
        (entry.name, groups.first { $0.contains(entry) }!)
      })
  }

  @Test func skewMatricesAreToldByTheirRole() {
    let groups = groups("")
    #expect(
      groups.mapValues(\.rule.name) == [
        "first.W": "rmsprop", "first.A": "adam", "first.skew_l0": "rmsprop", "second.A": "adam",
      ])
    #expect(
      groups.mapValues(\.learningRate) == [
        "first.W": 1, "first.A": 0.25, "first.skew_l0": 1, "second.A": 0.25,
      ])
  }

  @Test func aPatternOfSkewMatricesAloneChangesTheirRate() {
    let groups = groups("first.*=3, second.*=0.5")
    #expect(groups.mapValues(\.rule.name)["second.A"] == "adam")
    // `first.*` names other parameters too, and so leaves the skew matrix as it is.
    #expect(
      groups.mapValues(\.learningRate) == [
        "first.W": 3, "first.A": 0.25, "first.skew_l0": 3, "second.A": 0.125,
      ])
  }

  @Test func rulesSayWhatIsEvaluated() {
    #expect(UpdateRules.evaluatedSlot(ofRuleNamed: "asgd") == "ax")
    for rule in UpdateRules.all where rule.name != "asgd" {
      #expect(rule.evaluatedSlot == nil)
      #expect(rule.canStartAveraging == (rule.name == "sgd"))
    }
    for name in OptimizerSettings.Name.allCases {
      #expect(UpdateRules.all.contains { $0.name == name.rawValue }, "\(name) is in the table")
    }
    var layout = ParameterLayout()
    layout.add("w", shape: [1])
    let optimizer = Optimizer<Float>(ASGD(), learningRate: 1, layout: layout)
    #expect(optimizer.evaluatedSlot == nil, "no step has started the average")
    optimizer.update(ParameterBuffer(layout), gradients: Tensor([1]))
    #expect(optimizer.evaluatedSlot == "ax")
  }
}
