// SPDX-License-Identifier: Apache-2.0

import Kernels
import Testing

extension KernelBackend {
  /// Those of the SIMD modules.
  static let modules = all.filter { $0 != .reference }

  /// Cancels the test where the processor cannot run the backend.
  func requireSupport() throws {
    if let obstacle { try Test.cancel("\(obstacle)") }
  }
}
