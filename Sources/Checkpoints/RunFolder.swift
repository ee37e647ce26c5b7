import Files
import Foundation

/// The folder of a run, and the checkpoints in it.
///
///     config.yaml  metrics.jsonl
///     checkpoints/step-00001200/  checkpoints/latest -> step-00001200
public struct RunFolder: Sendable {
  public let path: String

  public init(_ path: String) {
    self.path = path
  }

  public var checkpoints: String { "\(path)/checkpoints" }
  public var configuration: String { "\(path)/config.yaml" }
  public var metrics: String { "\(path)/metrics.jsonl" }

  /// The folder of the checkpoint of a step.
  public func checkpoint(step: Int) -> String {
    let number = String(step)
    return "\(checkpoints)/step-"
      + String(repeating: "0", count: max(0, 8 - number.count)) + number
  }

  /// The steps of which there is a checkpoint with a manifest, oldest first.
  public func savedSteps() -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
    return names.compactMap { name -> Int? in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)) else { return nil }
      let manifest = "\(checkpoints)/\(name)/\(CheckpointManifest.fileName)"
      return FileManager.default.fileExists(atPath: manifest) ? step : nil
    }.sorted()
  }

  /// Points `latest` at the checkpoint of a step.
  public func setLatest(step: Int) throws(CheckpointError) {
    let target = (checkpoint(step: step) as NSString).lastPathComponent
    do {
      try DurableFiles.link("\(checkpoints)/latest", to: target)
    } catch {
      throw .unwritable("\(checkpoints)/latest", error)
    }
  }

  /// Removes the oldest checkpoints but for the newest `count` and those in `alwaysKeeping`.
  public func prune(keepingLast count: Int, alwaysKeeping: Set<Int>) {
    for step in savedSteps().dropLast(max(count, 1)) where !alwaysKeeping.contains(step) {
      DurableFiles.remove(checkpoint(step: step))
    }
  }

  /// The best checkpoint at a path whose manifest can be read.
  ///
  /// - Throws: the error of the best one, if none can be, or that there is none
  public static func firstReadable(at path: String) throws(CheckpointError) -> CheckpointReader {
    var first: CheckpointError?
    for folder in candidates(at: path) {
      do {
        return try CheckpointReader(folder)
      } catch {
        first = first ?? error
      }
    }
    throw first ?? noCheckpoint(at: path)
  }

  /// What to say of a path that holds no checkpoint.
  public static func noCheckpoint(at path: String) -> CheckpointError {
    CheckpointError(
      path, "holds no checkpoint", cure: "name a run, or a step folder under its checkpoints/")
  }

  /// The checkpoint folders that a path may mean, best first: itself, or those of the run.
  public static func candidates(at path: String) -> [String] {
    if FileManager.default.fileExists(atPath: "\(path)/\(CheckpointManifest.fileName)") {
      return [path]
    }
    let run = RunFolder(path)
    return run.savedSteps().reversed().map { run.checkpoint(step: $0) }
  }
}
