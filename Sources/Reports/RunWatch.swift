// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation

/// The current state of a run, read from its folder by any machine that can access it.
///
///     let now = try RunWatch("runs/pixels")
///     print(now.text(at: Date()))
///     if now.ending != nil { ... }
///
/// It reads the ends of files only, so that a run of a million steps is read as fast as a new one.
public struct RunWatch {
  /// The last entries in the log of a rank.
  struct Rank {
    var number: Int
    /// The host that it runs on.
    var host: String?
    /// The ranks of its last start.
    var ranks: Int?
    /// The last step that it reported.
    var step: Int?
    /// Shares of that interval by name, in percent: data, compute, reduction, checkpoint.
    var shares: [(name: String, percent: Double)] = []
    /// The time of its last line.
    var time: Date?
    /// Its last line, without the time.
    var last = ""
  }

  /// The folder of the run.
  public let path: String
  /// Steps of the last record, epochs and the metrics of each part.
  let training: RunRecord.Point?
  let validation: RunRecord.Point?
  /// The step of the newest complete checkpoint, and when it was written.
  let checkpoint: (step: Int, time: Date?)?
  let ranks: [Rank]
  let isPeerLost: Bool

  /// How the run ended, by the log of rank 0, such as "finished at step 400"; nil while it
  /// continues, and after a kill, which leaves no line.
  public let ending: String?

  /// Reads the folder of a run.
  ///
  /// - Throws: if there is neither a configuration, nor metrics, nor logs
  public init(_ path: String) throws(ReportError) {
    let run = RunFolder(path)
    let files = FileManager.default
    let records = DurableFiles.tail(of: run.metrics, bytes: 1 << 18)
    let logs = ((try? files.contentsOfDirectory(atPath: "\(path)/logs")) ?? []).compactMap { name in
      name.hasPrefix("rank-") && name.hasSuffix(".log")
        ? Int(name.dropFirst(5).dropLast(4)) : nil
    }
    guard records != nil || !logs.isEmpty || files.fileExists(atPath: run.configuration) else {
      throw ReportError(
        description: "\(path): "
          + RunRecord.refusal(of: path, without: "config.yaml, no metrics.jsonl and no logs"))
    }
    self.path = path
    let points = (records ?? Data()).split(separator: UInt8(ascii: "\n")).compactMap {
      RunRecord.point(Data($0))
    }
    training = points.last { !$0.isValidation }
    validation = points.last { $0.isValidation }
    let all = logs.filter { (0..<1 << 20).contains($0) }.sorted().compactMap { number in
      DurableFiles.tail(of: run.log(rank: number), bytes: 1 << 16).map {
        Self.rank(number, String(decoding: $0, as: UTF8.self))
      }
    }
    // A run that resumed on fewer ranks has logs of the others as well.
    let started = all.first { $0.number == 0 }?.ranks ?? .max
    ranks = all.filter { $0.number < started }
    checkpoint = run.savedSteps().last.map { step in
      let manifest = run.existingCheckpoint(step: step) + "/manifest.json"
      let attributes = try? files.attributesOfItem(atPath: manifest)
      return (step, attributes?[.modificationDate] as? Date)
    }
    isPeerLost = files.fileExists(atPath: run.lossNote)
    ending = ranks.first { $0.number == 0 }.flatMap { Self.ending($0.last) }
  }

  /// How the run ended, as a line of a log has it; nil if the line is about something else.
  private static func ending(_ line: String) -> String? {
    ["finished at step", "stopped early at step", "stopped by ", "failed at step"]
      .contains { line.hasPrefix($0) } ? line : nil
  }

  /// Reads the end of a rank's log.
  static func rank(_ number: Int, _ log: String) -> Rank {
    var rank = Rank(number: number)
    for line in log.split(whereSeparator: \.isNewline) {
      guard let gap = line.range(of: "  ") else { continue }
      guard let time = ISO8601DateFormatter().date(from: String(line[..<gap.lowerBound])) else {
        continue
      }
      let text = line[gap.upperBound...]
      rank.time = time
      rank.last = String(text)
      if let match = text.wholeMatch(
        of: /rank [0-9]+ of ([0-9]+), process [0-9]+ on ([^;]*);.*; from step ([0-9]+)/)
      {
        // A new start, so the lines before it belong to an earlier one.
        (rank.ranks, rank.host) = (Int(match.1), String(match.2))
        (rank.step, rank.shares) = (Int(match.3), [])
      } else if let match = text.wholeMatch(of: /step ([0-9]+): [^,]+ s(, .*)?/) {
        rank.step = Int(match.1)
        rank.shares = (match.2 ?? "").matches(of: /, ([a-z]+) ([0-9.]+) %/).compactMap { share in
          Double(share.2).map { (String(share.1), $0) }
        }
      }
    }
    return rank
  }

  /// The rank that the others wait for: the one that waits least in reductions itself.
  var slowest: Int? {
    let waiting = ranks.compactMap { rank in
      rank.shares.first { $0.name == "reduction" }.map { (rank.number, $0.percent) }
    }
    guard waiting.count > 1, let least = waiting.min(by: { $0.1 < $1.1 }),
      let most = waiting.max(by: { $0.1 < $1.1 }), most.1 - least.1 >= 1
    else { return nil }
    return least.0
  }
}
