// SPDX-License-Identifier: Apache-2.0

import Digests
import Foundation

/// The file of the running program.
struct ProgramFile: Codable, Hashable {
  var path: String
  /// The SHA-256 digest of its bytes, in hexadecimal; nil if they cannot be read.
  var sha256: String?

  private static let link = "/proc/self/exe"

  static func here() -> ProgramFile {
    ProgramFile(path: ownPath, sha256: try? SHA256Digest.ofFile(link))
  }

  static var ownPath: String { URL(fileURLWithPath: link).resolvingSymlinksInPath().path }
}
