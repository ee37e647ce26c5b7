// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// Update rules with their state for the parameters of a model.
///
/// If the state is split over ranks, each keeps a slice of it and takes the step of that slice.
/// After an update the caller gathers the ranks' slices of the parameters in `split`. The result is
/// bit-identical to a whole update. See S. Rajbhandari et al., "ZeRO: Memory Optimizations Toward
/// Training Trillion Parameter Models", 2020, section 5.1.
public final class Optimizer<Scalar: KernelScalar> {
  /// The parameters that are updated.
  public let layout: ParameterLayout
  /// The rows of each parameter whose state is kept here.
  public let slice: RowSlice
  /// The state buffers of all rules by name, in order of first mention, each laid out like the
  /// slice of the parameters. Slots that a parameter's rule does not use stay zero.
  public let slots: [(name: String, buffer: ParameterBuffer<Scalar>)]
  /// The parameters of which an update changes only the slice: those whose rule keeps state, if the
  /// slice is not the whole.
  public let split: [ParameterEntry]
  /// Steps taken.
  public var stepCount = 0

  /// Adjacent parameters of one group.
  private struct Run {
    let group: ParameterGroup
    let range: Range<Int>
    let slots: [Tensor<Scalar>]
  }
  private let runs: [Run]
  private let groups: [ParameterGroup]

  /// - Parameters:
  ///   - groups: a parameter belongs to the first group whose pattern matches its name; one that
  ///     matches none is not trained
  ///   - layout: the layout of the parameters
  ///   - slice: the rows to keep the state of
  public init(
    _ groups: [ParameterGroup], layout: ParameterLayout, slice: RowSlice = .whole
  ) {
    self.layout = layout
    self.slice = slice
    self.groups = groups
    var slots: [(name: String, buffer: ParameterBuffer<Scalar>)] = []
    for name in groups.flatMap(\.rule.slots) where !slots.contains(where: { $0.name == name }) {
      slots.append((name, ParameterBuffer(layout.slice(slice))))
    }
    self.slots = slots
    var places: [(group: Int, range: Range<Int>, kept: Range<Int>)] = []
    var split: [ParameterEntry] = []
    for (entry, own) in zip(layout.entries, layout.slice(slice).entries) {
      guard let group = groups.firstIndex(where: { $0.contains(entry) }) else { continue }
      let isSplit = !slice.isWhole && !groups[group].rule.slots.isEmpty
      if isSplit { split.append(entry) }
      let range = isSplit ? slice.elements(of: entry) : entry.range
      if let last = places.last, last.group == group, last.range.upperBound == range.lowerBound {
        places[places.count - 1].range = last.range.lowerBound..<range.upperBound
        places[places.count - 1].kept = last.kept.lowerBound..<own.range.upperBound
      } else {
        places.append((group, range, own.range))
      }
    }
    self.split = split
    runs = places.map { group, range, kept in
      Run(
        group: groups[group], range: range,
        slots: groups[group].rule.slots.map { name in
          slots.first { $0.name == name }!.buffer.flat.elements(kept)
        })
    }
  }

  /// One rule at one rate for all parameters.
  public convenience init(_ rule: any UpdateRule, learningRate: Double, layout: ParameterLayout) {
    self.init([ParameterGroup(rule, learningRate: learningRate)], layout: layout)
  }

  /// The rule of the last group, which is the one for all parameters that no pattern names.
  public var rule: any UpdateRule { groups[groups.count - 1].rule }

  /// The slot to evaluate instead of the parameters; nil before the first step, and if the rule
  /// evaluates the parameters.
  public var evaluatedSlot: String? { stepCount > 0 ? rule.evaluatedSlot : nil }

  /// The state buffer with this name.
  public subscript(slot name: String) -> ParameterBuffer<Scalar>? {
    slots.first { $0.name == name }?.buffer
  }

  /// Writes a state buffer over the slice of `parameters` that it belongs to.
  public func copy(slot name: String, to parameters: ParameterBuffer<Scalar>) {
    guard let buffer = self[slot: name] else { preconditionFailure("there is no slot \(name)") }
    for (entry, own) in zip(layout.entries, buffer.layout.entries) {
      parameters.flat.elements(slice.elements(of: entry)).copy(from: buffer[own])
    }
  }

  /// Takes one step on `parameters` along `gradients`.
  ///
  /// - Parameters:
  ///   - parameters: the parameters to update
  ///   - gradients: their gradient
  ///   - rateFactor: the schedule's multiplier of every rate at this step
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
