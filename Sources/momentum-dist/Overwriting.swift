// SPDX-License-Identifier: Apache-2.0

import Foundation
import Training

/// Refuses to overwrite a file of another kind, so that a typing error in `--to` destroys nothing.
///
/// - Parameter ending: the ending of names of files of this kind
func refuseOverwriting(_ path: String, unlessNamed ending: String) throws(RunFailure) {
  guard !path.isEmpty else { throw RunFailure(.usage, "--to is empty; name a file") }
  guard FileManager.default.fileExists(atPath: path), !path.hasSuffix(ending) else { return }
  throw RunFailure(
    .usage,
    "\(path): exists, and its name does not end in \(ending); name another file, or remove it")
}
