import Foundation
import Training

/// Refuses to write over a file that is of another kind than what is to be written, so that a
/// slip in `--to` destroys nothing.
///
/// - Parameter ending: how names of files of the kind end
func refuseOverwriting(_ path: String, unlessNamed ending: String) throws(RunFailure) {
  guard !path.isEmpty else { throw RunFailure(.usage, "--to is empty; name a file") }
  guard FileManager.default.fileExists(atPath: path), !path.hasSuffix(ending) else { return }
  throw RunFailure(
    .usage,
    "\(path): exists, and its name does not end in \(ending); name another file, or remove it")
}
