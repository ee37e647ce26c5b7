// SPDX-License-Identifier: Apache-2.0

import BLAS
import Foundation
import Kernels

/// The kernels that OpenBLAS has chosen. It may not recognise a processor that is newer than
/// itself, and then uses slow kernels.
struct OpenBLASCheck {
  var version: String
  var core: String
  var threads: Int
  var fastest: KernelBackend

  /// The cores without AVX2.
  static let old = ["Prescott", "Core2", "Nehalem", "Sandybridge", "Generic"]

  static func here() -> OpenBLASCheck {
    OpenBLASCheck(
      version: OpenBLAS.version, core: OpenBLAS.coreName, threads: OpenBLAS.threads,
      fastest: KernelBackend.supported.last ?? .reference)
  }

  var finding: Finding {
    let name = version.split(separator: " ").prefix(2).joined(separator: " ")
    if Self.old.contains(core), let core = fastest.openBLASCore {
      return .wrong(
        "OpenBLAS", "\(name) uses the kernels of \(self.core): products are several times slower",
        cure: "export OPENBLAS_CORETYPE=\(core)")
    }
    let text = "\(name), kernels of \(core)"
    guard threads == 1 else {
      return .note(
        "OpenBLAS", "\(text); \(threads) threads are started, of which a rank uses one",
        cure: "export OPENBLAS_NUM_THREADS=1")
    }
    return .good("OpenBLAS", text)
  }
}
