// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The Python that checks exports and predictions, which may have packages that the system's lacks.
public enum PythonPackages {
  /// python3, or what MOMENTUM_DIST_PYTHON names.
  public static let python =
    ProcessInfo.processInfo.environment["MOMENTUM_DIST_PYTHON"] ?? "python3"

  /// Whether it has packages: "numpy, h5py".
  public static func has(_ packages: String) -> Bool {
    let outcome = try? Places.withTemporaryFolder {
      try Program.bash("\"$1\" -c 'import \(packages)'", [python], in: $0)
    }
    return outcome?.status == 0
  }
}
