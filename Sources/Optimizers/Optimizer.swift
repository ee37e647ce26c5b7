import Kernels
import Tensors

/// Update rules with their state for the parameters of a model.
public final class Optimizer<Scalar: KernelScalar> {
  public let layout: ParameterLayout
  /// The state buffers of all rules by name, in order of first mention, each laid out like the
  /// parameters. What a parameter's rule does not use stays zero.
  public let slots: [(name: String, buffer: ParameterBuffer<Scalar>)]
  /// Steps taken.
  public var stepCount = 0

  /// Neighbouring parameters of one group.
  private struct Run {
    let group: ParameterGroup
    let range: Range<Int>
    let slots: [Tensor<Scalar>]
  }
  private let runs: [Run]
  private let groups: [ParameterGroup]

  /// - Parameter groups: a parameter belongs to the first whose pattern fits its name; one that
  ///   fits none is not trained
  public init(_ groups: [ParameterGroup], layout: ParameterLayout) {
    self.layout = layout
    self.groups = groups
    var slots: [(name: String, buffer: ParameterBuffer<Scalar>)] = []
    for name in groups.flatMap(\.rule.slots) where !slots.contains(where: { $0.name == name }) {
      slots.append((name, ParameterBuffer(layout)))
    }
    self.slots = slots
    var places: [(group: Int, range: Range<Int>)] = []
    for entry in layout.entries {
      guard let group = groups.firstIndex(where: { $0.contains(entry.name) }) else { continue }
      if let last = places.last, last.group == group,
        last.range.upperBound == entry.range.lowerBound
      {
        places[places.count - 1].range = last.range.lowerBound..<entry.range.upperBound
      } else {
        places.append((group, entry.range))
      }
    }
    runs = places.map { group, range in
      Run(
        group: groups[group], range: range,
        slots: groups[group].rule.slots.map { name in
          slots.first { $0.name == name }!.buffer.flat.elements(range)
        })
    }
  }

  /// One rule at one rate for all parameters.
  public convenience init(_ rule: any UpdateRule, learningRate: Double, layout: ParameterLayout) {
    self.init([ParameterGroup(rule, learningRate: learningRate)], layout: layout)
  }

  /// The rule of the last group, which is the one for all that no pattern names.
  public var rule: any UpdateRule { groups[groups.count - 1].rule }

  /// The state buffer of that name.
  public subscript(slot name: String) -> ParameterBuffer<Scalar>? {
    slots.first { $0.name == name }?.buffer
  }

  /// Takes one step on `parameters` along `gradients`.
  ///
  /// - Parameter rateFactor: what the schedule makes of every rate at this step
  public func update(
    _ parameters: ParameterBuffer<Scalar>, gradients: Tensor<Scalar>, rateFactor: Double = 1
  ) {
    precondition(
      parameters.layout == layout && gradients.count == layout.count,
      "the optimizer was made for \(layout.count) parameters")
    stepCount += 1
    for run in runs {
      run.group.rule.update(
        parameters.flat.elements(run.range), gradients: gradients.elements(run.range),
        slots: run.slots, learningRate: rateFactor * run.group.learningRate, step: stepCount)
    }
  }
}
