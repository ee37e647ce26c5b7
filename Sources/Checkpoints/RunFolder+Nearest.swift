// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// What to type instead of the path of a run that does not exist.
extension RunFolder {
  /// "did you mean runs/vowels?", or else "name a run, such as ..." with the newest runs.
  ///
  /// - Parameters:
  ///   - path: the path that was given
  ///   - isRun: whether a folder is a run that the command can use
  public static func cure(
    ofMissing path: String, where isRun: (String) -> Bool = RunFolder.hasCheckpoint
  ) -> String {
    if let near = nearest(to: path, where: isRun) { return "did you mean \(near)?" }
    let folder = DurableFiles.parent(of: DurableFiles.withoutLastSlashes(path))
    let beside = newest(in: folder, where: isRun)
    let runs = beside.isEmpty ? newest(in: "runs", where: isRun) : beside
    guard !runs.isEmpty else {
      return "check the path, or list the runs of a folder with `momentum-dist list FOLDER`"
    }
    return "name a run, such as \(runs.prefix(3).joined(separator: " or "))"
  }

  /// The run that a path which does not exist may mean: one next to it or in `runs`, whose name is
  /// nearly the same or begins with that of the path; nil if there is none.
  public static func nearest(
    to path: String, where isRun: (String) -> Bool = RunFolder.hasCheckpoint
  ) -> String? {
    let path = DurableFiles.withoutLastSlashes(path)
    let (parent, name) = (DurableFiles.parent(of: path), DurableFiles.lastName(of: path))
    if DurableFiles.lastName(of: parent) == "checkpoints", !DurableFiles.isFolder(parent) {
      return nearest(to: DurableFiles.parent(of: parent), where: isRun)
    }
    let places = path.hasPrefix("/") || parent == "runs" ? [parent] : [parent, "runs"]
    for place in places {
      let names = newest(in: place, where: isRun).map(DurableFiles.lastName)
      let longer = names.filter { !name.isEmpty && $0.hasPrefix(name) }
      if let near = nearestWord(to: name, among: names) ?? (longer.count == 1 ? longer[0] : nil) {
        return member(near, of: place)
      }
    }
    return nil
  }

  /// The runs in a folder, the most recently changed first.
  public static func newest(
    in folder: String, where isRun: (String) -> Bool = RunFolder.hasCheckpoint
  ) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.map { member($0, of: folder) }.filter(isRun)
      .map { (path: $0, changed: lastChange(of: $0)) }
      .sorted { ($1.changed, $0.path) < ($0.changed, $1.path) }.map { $0.path }
  }

  /// Whether a path is a run with a checkpoint, or a checkpoint.
  public static func hasCheckpoint(_ path: String) -> Bool { !candidates(at: path).isEmpty }

  /// When a run last wrote its metrics or its configuration; without them, when its folder changed.
  public static func lastChange(of run: String) -> Date {
    for path in [RunFolder(run).metrics, RunFolder(run).configuration, run] {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      if let date = attributes?[.modificationDate] as? Date { return date }
    }
    return .distantPast
  }

  private static func member(_ name: String, of folder: String) -> String {
    folder == "." ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
  }
}
