// SPDX-License-Identifier: Apache-2.0

import BLAS
import Foundation
import Kernels

/// The choice of OpenBLAS's kernels.
enum BLASCore {
  /// OpenBLAS chooses kernels by the processor's model number when it is loaded. Each choice rounds
  /// differently, and a processor that is newer than the library gets the oldest of all, which are
  /// 4 times slower. Only the environment can change it, and only before the library is loaded, so
  /// the program starts itself once more with the choice that every processor with AVX2 can take.
  ///
  /// `bench kernels` measures OpenBLAS itself and leaves its choice alone.
  static func correct() {
    let variable = "OPENBLAS_CORETYPE"
    guard getenv(variable) == nil, let core = KernelBackend.supported.last?.openBLASCore,
      OpenBLAS.coreName.uppercased() != core,
      Array(CommandLine.arguments.dropFirst().prefix(2)) != ["bench", "kernels"]
    else { return }
    setenv(variable, core, 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    unsetenv(variable)  // exec failed: continue with OpenBLAS's own choice
  }
}
