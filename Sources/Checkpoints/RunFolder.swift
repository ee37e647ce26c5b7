// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// The folder of a run, and the checkpoints in it.
///
///     config.yaml  metrics.jsonl  data.json  vocabulary.h5 (of a language model)
///     logs/rank-00003.log  peer-lost (after a rank was lost)
///     wrong-host (after an audit found a host that computes wrong results)
///     checkpoints/step-00001200/  checkpoints/latest -> step-00001200 (a text file with that name
///                                 on a file system without symbolic links)
public struct RunFolder: Sendable {
  /// The path of the folder.
  public let path: String

  /// The suffixes of a checkpoint's folder while it is written, while it is replaced, and while it
  /// is removed.
  static let partialSuffix = ".partial"
  static let replacedSuffix = ".replaced"
  static let removedSuffix = ".removed"
  /// The suffix of a checkpoint that was passed over: the run resumed from an earlier one.
  static let passedSuffix = ".passed"

  public init(_ path: String) {
    self.path = path
  }

  /// The folder of the checkpoints.
  public var checkpoints: String { "\(path)/checkpoints" }
  /// The resolved configuration of the run.
  public var configuration: String { "\(path)/config.yaml" }
  /// The metrics, one JSON object per line.
  public var metrics: String { "\(path)/metrics.jsonl" }
  /// The vocabulary of a run on text.
  public var vocabulary: String { "\(path)/vocabulary.h5" }
  /// The file of the data's identity, a `DataIdentity`.
  public var data: String { "\(path)/data.json" }

  /// An empty file for launch/supervise, which a rank creates when it ends because another was
  /// lost.
  public var lossNote: String { "\(path)/peer-lost" }

  /// A file for launch/supervise, which is created when an audit has found a host that computes
  /// wrong results.
  public var hostNote: String { "\(path)/wrong-host" }

  /// The log file of a rank.
  public func log(rank: Int) -> String {
    let number = String(rank)
    return "\(path)/logs/rank-" + String(repeating: "0", count: max(0, 5 - number.count)) + number
      + ".log"
  }

  /// The folder of the checkpoint of a step.
  public func checkpoint(step: Int) -> String {
    let number = String(step)
    return "\(checkpoints)/step-"
      + String(repeating: "0", count: max(0, 8 - number.count)) + number
  }

  /// The steps with a checkpoint that has a manifest, oldest first.
  public func savedSteps() -> [Int] {
    let steps = names().compactMap { name -> Int? in
      guard let step = step(of: name, "") ?? step(of: name, Self.replacedSuffix) else { return nil }
      return Self.isCheckpoint("\(checkpoints)/\(name)") ? step : nil
    }
    return Set(steps).sorted()
  }

  /// The step of a name that is exactly the name of a checkpoint with a suffix; nil for any other
  /// name, which this program must not touch.
  private func step(of name: String, _ suffix: String) -> Int? {
    guard name.hasPrefix("step-"), name.hasSuffix(suffix),
      let step = Int(name.dropFirst(5).dropLast(suffix.count)), step >= 0,
      DurableFiles.lastName(of: checkpoint(step: step)) + suffix == name
    else { return nil }
    return step
  }

  private func names() -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
  }

  /// The path of a saved step's checkpoint: its folder, or the name that it had while it was being
  /// replaced.
  public func existingCheckpoint(step: Int) -> String {
    let folder = checkpoint(step: step)
    return Self.isCheckpoint(folder) ? folder : folder + Self.replacedSuffix
  }

  private static func isCheckpoint(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(folder)/\(CheckpointManifest.fileName)")
  }

  /// Removes what a killed run left behind, and restores the name of a checkpoint whose replacement
  /// was not finished.
  ///
  /// Only one process may do this, and only while none writes a checkpoint.
  public func tidy() throws(CheckpointError) {
    for name in names() {
      let path = "\(checkpoints)/\(name)"
      let isLeftover =
        DurableFiles.isTemporaryName(name, of: "latest")
        || step(of: name, Self.partialSuffix) != nil || step(of: name, Self.removedSuffix) != nil
      if isLeftover { DurableFiles.remove(path) }
      guard step(of: name, Self.replacedSuffix) != nil else { continue }
      let own = String(path.dropLast(Self.replacedSuffix.count))
      if Self.isCheckpoint(own) || !Self.isCheckpoint(path) {
        DurableFiles.remove(path)
      } else {
        do {
          DurableFiles.remove(own)
          try DurableFiles.rename(path, to: own)
          try DurableFiles.synchronize(checkpoints)
        } catch {
          throw .unwritable(own, error)
        }
      }
    }
  }

  /// Points `latest` at the checkpoint of a step.
  public func setLatest(step: Int) throws(CheckpointError) {
    let target = DurableFiles.lastName(of: checkpoint(step: step))
    do {
      try Failpoint.checkpointLatest.pass("\(checkpoints)/latest")
      try moveCopyOfLatest()
      try DurableFiles.link("\(checkpoints)/latest", to: target)
    } catch {
      throw .unwritable("\(checkpoints)/latest", error)
    }
  }

  /// Renames the checkpoints after the step from which the run continues, so that they no longer
  /// count: they are damaged, or the run returned to an earlier one. Nothing is removed.
  ///
  /// - Returns: the new names
  public func passOver(after step: Int) throws(CheckpointError) -> [String] {
    var names: [String] = []
    for later in savedSteps() where later > step {
      let passed = Self.freeName(checkpoint(step: later) + Self.passedSuffix)
      do {
        try DurableFiles.rename(existingCheckpoint(step: later), to: passed)
        try DurableFiles.synchronize(checkpoints)
      } catch {
        throw .unwritable(passed, error)
      }
      names.append(DurableFiles.lastName(of: passed))
    }
    return names
  }

  /// An unused name: `path`, or else `path-2`, `path-3`, ...
  static func freeName(_ path: String) -> String {
    var (name, number) = (path, 1)
    while FileStamp(name) != nil {
      number += 1
      name = "\(path)-\(number)"
    }
    return name
  }

  /// Removes all checkpoints except the newest `count` and, for each of these, the best one that it
  /// names. If the newest is damaged, the run resumes from an earlier one, whose best may be
  /// another.
  public func prune(keepingLast count: Int) throws(CheckpointError) {
    let steps = savedSteps()
    let kept = withTheirBest(Set(steps.suffix(max(count, 1))))
    for step in steps where !kept.contains(step) {
      let folder = existingCheckpoint(step: step)
      let removed = checkpoint(step: step) + Self.removedSuffix
      do {
        // It is renamed first, because a partly removed checkpoint would still look like one.
        DurableFiles.remove(removed)
        try DurableFiles.rename(folder, to: removed)
        try Failpoint.checkpointPrune.pass(removed)
        DurableFiles.remove(removed)
      } catch {
        throw .unwritable(folder, error)
      }
    }
  }

  /// These steps and, for each that is saved, the step that its manifest names as the best.
  private func withTheirBest(_ steps: Set<Int>) -> Set<Int> {
    var (all, unread) = (steps, steps)
    while let step = unread.popFirst() {
      // A manifest that cannot be read belongs to a checkpoint that no run resumes from.
      let manifest = try? CheckpointManifest(ofCheckpoint: existingCheckpoint(step: step))
      if let best = manifest?.bestStep, all.insert(best).inserted { unread.insert(best) }
    }
    return all
  }

  /// The best checkpoint at a path whose manifest can be read.
  ///
  /// - Throws: the error of the best one, if none can be read; or an error that there is none
  public static func firstReadable(at path: String) throws(CheckpointError) -> CheckpointReader {
    try reading(at: path) { () throws(CheckpointError) in
      var first: CheckpointError?
      for folder in candidates(at: path) {
        do throws(CheckpointError) {
          return try CheckpointReader(folder)
        } catch {
          first = first ?? error
        }
      }
      throw first ?? noCheckpoint(at: path)
    }
  }

  /// The error for a path that holds no checkpoint.
  public static func noCheckpoint(at path: String) -> CheckpointError {
    FileManager.default.fileExists(atPath: path)
      ? CheckpointError(
        path, "holds no checkpoint", cure: "name a run, or a step folder under its checkpoints/")
      : CheckpointError(path, "does not exist", cure: cure(ofMissing: path))
  }

  /// The checkpoint folders that a path may mean, best first: itself, or those of the run.
  public static func candidates(at path: String) -> [String] {
    if isCheckpoint(path) { return [path] }
    let run = RunFolder(path)
    return run.savedSteps().reversed().map { run.existingCheckpoint(step: $0) }
  }
}
