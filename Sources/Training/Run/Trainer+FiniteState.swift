// SPDX-License-Identifier: Apache-2.0

import Models
import Tensors

/// Checks for numbers that a checkpoint must never hold.
extension Trainer {
  /// Ends the run before a save if a parameter or the optimizer's state is not finite. The loss and
  /// the norm of the gradient can both be finite in the step whose update overflows. All ranks call
  /// this together.
  ///
  /// - Throws: `.diverged`, with the tensor
  func refuseInfiniteState() throws(RunFailure) {
    try session.agreement.together {
      guard let place = firstInfinitePlace else { return }
      throw RunFailure(
        .diverged, "step \(state.step): \(place) after the update; \(divergenceCure)")
    }
  }

  /// The first tensor with an element that is not finite, in words.
  private var firstInfinitePlace: String? {
    func first(_ buffer: ParameterBuffer<Float>) -> (name: String, value: Float)? {
      guard let element = buffer.flat.firstNotFinite else { return nil }
      let entry = buffer.layout.entries.first { $0.range.contains(element) }
      return (entry?.name ?? "a parameter", buffer.flat[element])
    }
    if let (name, value) = first(session.parameters) { return "\(name) holds \(value)" }
    for (slot, buffer) in optimizer.slots {
      if let (name, value) = first(buffer) {
        return "the optimizer's state \(slot) of \(name) holds \(value)"
      }
    }
    for (name, tensor) in session.workload.model.buffers {
      if let element = tensor.firstNotFinite { return "\(name) holds \(tensor[element])" }
    }
    return nil
  }
}
