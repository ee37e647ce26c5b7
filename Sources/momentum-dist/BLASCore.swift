import BLAS
import Foundation
import Kernels

/// Which of its kernels OpenBLAS uses.
enum BLASCore {
  /// OpenBLAS chooses by the processor's model number when it is loaded, and takes one that is
  /// newer than itself for the oldest of all: on such a processor products are 4 times slower than
  /// they need be. Only the environment can tell it otherwise, and only before it is loaded; so
  /// where it has chosen worse than the processor allows, the program starts itself once more.
  static func correct() {
    let variable = "OPENBLAS_CORETYPE"
    guard getenv(variable) == nil, ["Prescott", "Core2", "Nehalem"].contains(OpenBLAS.coreName),
      let better = KernelBackend.supported.last?.openBLASCore
    else { return }
    setenv(variable, better, 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    unsetenv(variable)  // it could not be started: go on with what there is
  }
}
