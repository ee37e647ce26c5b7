// SPDX-License-Identifier: Apache-2.0

import Kernels

/// The vector instructions of the processor, which select the kernels.
struct InstructionsCheck {
  var current: KernelBackend
  var fastest: KernelBackend
  /// Why the backend that the environment asks for cannot be used; nil if it can.
  var problem: String?

  static func here() -> InstructionsCheck {
    InstructionsCheck(
      current: .current, fastest: KernelBackend.supported.last ?? .reference,
      problem: KernelBackend.requestProblem)
  }

  var finding: Finding {
    let unset = "unset \(KernelBackend.variable)"
    if let problem { return .wrong("instructions", problem, cure: unset) }
    if current != fastest {
      return .note(
        "instructions", "\(current.name) kernels, where this processor has \(fastest.name)",
        cure: unset)
    }
    if fastest == .baseline {
      return .note(
        "instructions", "the processor has no AVX2, or hides it: kernels are several times slower",
        cure: "in a virtual machine, pass the host's processor on (qemu -cpu host)")
    }
    return .good("instructions", "\(current.name) kernels, the fastest for this processor")
  }
}
