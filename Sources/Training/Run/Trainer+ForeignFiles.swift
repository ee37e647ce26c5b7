// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Files
import Foundation

/// Files in a run's folder that no run has written.
extension Trainer {
  /// Refuses to overwrite files that no run has written, and a run that another process has made
  /// since this one looked. Rank 0 calls this while it holds the lock of the folder.
  ///
  /// A resumed run replaces its own config.yaml; one that a user wrote or commented is kept under
  /// another name.
  func refuseToReplace() throws(RunFailure) {
    try refuseLinks()
    try refuseForeignLogs()
    let newest = run.savedSteps().last
    if let newest {
      if resumedFrom == nil { throw Self.holdsRun(run, step: newest) }
      guard newestAtResume == newest else {
        throw RunFailure(
          .usage,
          "\(run.path): another process has since trained in it, to step \(newest); start again"
            + " with --resume")
      }
      return try keepForeignConfiguration()
    }
    // A run that was killed before its first checkpoint leaves these files, and may be restarted.
    let text = DurableFiles.ordinaryContents(of: run.configuration)
    if let text, GivenValues.isResolved(String(decoding: text, as: UTF8.self)) { return }
    let names = ["config.yaml", "metrics.jsonl", "data.json", "vocabulary.h5"]
    guard let name = names.first(where: { FileStamp("\(run.path)/\($0)") != nil }) else { return }
    throw RunFailure(
      .usage,
      "\(run.path)/\(name): already exists and was not written by a run; move it away, or name"
        + " another folder with --output")
  }

  /// Refuses a folder of checkpoints that is a link to that of another run, whose old checkpoints
  /// this one would remove. A link to any other folder, such as one on a larger disk, is the user's
  /// choice.
  private func refuseLinks() throws(RunFailure) {
    guard DurableFiles.isLink(run.checkpoints) else { return }
    let target = URL(fileURLWithPath: run.checkpoints).resolvingSymlinksInPath().path
    let other = RunFolder(DurableFiles.parent(of: target))
    guard FileStamp(other.configuration) != nil else { return }
    throw RunFailure(FileError("open", run.checkpoints, obstacle: .link))
  }

  /// Refuses logs that a run did not make: a link would lead to another file, and a pipe makes a
  /// writer wait.
  private func refuseForeignLogs() throws(RunFailure) {
    let folder = DurableFiles.parent(of: run.log(rank: 0))
    if DurableFiles.isLink(folder) {
      throw RunFailure(FileError("open", folder, obstacle: .link))
    }
    for rank in 0..<session.communicator.size {
      let path = run.log(rank: rank)
      guard let stamp = FileStamp(path), !stamp.isRegular else { continue }
      throw RunFailure(
        FileError("open", path, obstacle: DurableFiles.isLink(path) ? .link : .notRegular))
    }
  }

  /// Renames a config.yaml that no run has written.
  private func keepForeignConfiguration() throws(RunFailure) {
    let path = run.configuration
    guard FileStamp(path) != nil else { return }
    if let data = DurableFiles.ordinaryContents(of: path) {
      let text = String(decoding: data, as: UTF8.self)
      // A comment may also follow a value.
      if GivenValues.isResolved(text), !text.contains(" #"), !text.contains("\t#") { return }
    }
    var (kept, number) = ("\(path).kept", 1)
    while FileStamp(kept) != nil {
      number += 1
      kept = "\(path).kept-\(number)"
    }
    do throws(FileError) {
      try DurableFiles.rename(path, to: kept)
    } catch {
      throw RunFailure(error)
    }
    progress.say("note: \(path) was not written by a run; it is kept as \(kept)")
  }

  /// The failure for a folder that another run uses.
  public static func holdsRun(_ run: RunFolder, step: Int) -> RunFailure {
    RunFailure(
      .usage,
      "\(run.path): holds a run already (step \(step)); add --resume to continue it, or"
        + " --output FOLDER to start another")
  }
}
