import Checkpoints
import Configuration
import Files
import Foundation

/// What a run's folder may hold of somebody else.
extension Trainer {
  /// Refuses to write over files that no run has made, and over a run that another process has made
  /// since this one looked. Rank 0 calls this, when it holds the lock of the folder.
  func refuseToReplace() throws(RunFailure) {
    let newest = run.savedSteps().last
    if let newest {
      if resumedFrom == nil { throw Self.holdsRun(run, step: newest) }
      guard newestAtResume == newest else {
        throw RunFailure(
          .usage,
          "\(run.path): another process has trained in it meanwhile, to step \(newest); start again"
            + " with --resume")
      }
      return
    }
    // A run that was killed before its first checkpoint leaves these files, and is started again.
    let text = DurableFiles.ordinaryContents(of: run.configuration)
    if let text, GivenValues.isResolved(String(decoding: text, as: UTF8.self)) { return }
    let names = ["config.yaml", "metrics.jsonl", "data.json", "vocabulary.h5"]
    guard let name = names.first(where: { FileStamp("\(run.path)/\($0)") != nil }) else { return }
    throw RunFailure(
      .usage,
      "\(run.path)/\(name): is there already and was not written by a run; move it away, or name"
        + " another folder with --output")
  }

  /// What to say of a folder that another run has.
  public static func holdsRun(_ run: RunFolder, step: Int) -> RunFailure {
    RunFailure(
      .usage,
      "\(run.path): holds a run already (step \(step)); add --resume to go on with it, or"
        + " --output FOLDER to start another")
  }
}
