// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation

/// The runs below a folder as a table: cell, progress, results and time of each.
public struct RunList {
  /// The runs, the most recently changed first.
  public let runs: [RunRecord]
  private let changed: [String: Date]

  /// Finds the runs in a folder and in folders within it, three levels deep. Links are not
  /// followed.
  public init(below folder: String, configuration read: RunRecord.ConfigurationReader) {
    var (found, changed) = ([RunRecord](), [String: Date]())
    func look(_ path: String, depth: Int) {
      if let run = try? RunRecord(path, configuration: read) {
        found.append(run)
        changed[path] = RunFolder.lastChange(of: path)
        return
      }
      guard depth < 3 else { return }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      for name in names.sorted() where !name.hasPrefix(".") {
        let inner = "\(path)/\(name)"
        if DurableFiles.isFolder(inner), !DurableFiles.isLink(inner) {
          look(inner, depth: depth + 1)
        }
      }
    }
    look(folder, depth: 0)
    self.changed = changed
    runs = found.sorted { a, b in
      (changed[b.path]!, a.path) < (changed[a.path]!, b.path)
    }
  }

  /// The most recently changed run that has metrics or a configuration; nil if there is none.
  public static func lastChanged(of folders: [String]) -> String? {
    folders.filter { FileManager.default.fileExists(atPath: "\($0)/config.yaml") }
      .max { (RunFolder.lastChange(of: $0), $0) < (RunFolder.lastChange(of: $1), $1) }
  }

  /// The table, with the time that has passed since each run's last change.
  ///
  /// - Parameters:
  ///   - now: the time of the table
  ///   - columns: the width of the terminal; nil is none
  public func table(at now: Date, columns: Int? = nil) -> String {
    let rows = runs.map { run in
      let best = run.best.map { point in
        "\(brief(point.values["loss"]!)) (epoch \(point.epoch))"
      }
      return [
        run.path.visible, run.configuration?.first { $0.path == "model.cell" }?.value ?? "–",
        run.standing, best ?? "–", run.test?.loss.map { brief($0) } ?? "–",
        Self.age(now.timeIntervalSince(changed[run.path]!)),
      ]
    }
    return plainTable(
      [["run", "cell", "stands at", "best validation loss", "test loss", "changed"]] + rows,
      columns: columns, sparing: [1, 5, 4, 2])
  }

  /// "5 min ago"
  private static func age(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(Int(max(seconds, 0))) s ago"
    case ..<7200: "\(Int(seconds / 60)) min ago"
    case ..<172_800: "\(Int(seconds / 3600)) h ago"
    default: "\(Int(seconds / 86_400)) days ago"
    }
  }
}
