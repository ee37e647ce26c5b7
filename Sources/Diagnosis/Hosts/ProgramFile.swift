// SPDX-License-Identifier: Apache-2.0

import Digests
import Foundation

/// The file of the running program.
struct ProgramFile: Codable, Hashable {
  var path: String
  /// The SHA-256 digest of its bytes, in hexadecimal; nil if they cannot be read.
  var sha256: String?

  static func here() -> ProgramFile {
    let link = "/proc/self/exe"
    return ProgramFile(
      path: URL(fileURLWithPath: link).resolvingSymlinksInPath().path,
      sha256: try? SHA256Digest.ofFile(link))
  }
}
