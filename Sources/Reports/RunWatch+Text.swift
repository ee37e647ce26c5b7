// SPDX-License-Identifier: Apache-2.0

import Foundation

extension RunWatch {
  /// The run in a few lines: its progress, figures, newest checkpoint and ranks.
  ///
  /// - Parameters:
  ///   - now: the time that ages are counted to
  ///   - count: the largest number of ranks to show; if there are more, the slowest are shown
  public func text(at now: Date, ranks count: Int = 8) -> String {
    ([heading(now)] + figures + [saved(now)] + places(count, now)).joined(separator: "\n")
  }

  private func heading(_ now: Date) -> String {
    let state =
      if let ending {
        ending
      } else if isPeerLost {
        "a rank was lost"
      } else if let newest = newestTime {
        "last line of a rank \(Self.age(newest, now))"
      } else {
        "no rank has logged yet"
      }
    return "\(path)  \(state)"
  }

  private var newestTime: Date? { ranks.compactMap(\.time).max() }

  /// A line for the training and one for the validation part.
  private var figures: [String] {
    guard training != nil || validation != nil else { return ["nothing recorded yet"] }
    return [("train", training), ("validation", validation)].compactMap { name, point in
      guard let point else { return nil }
      var parts = ["step \(point.step)  epoch \(point.epoch)"]
      func add(_ key: String, _ title: String, _ suffix: String = "") {
        if let value = point.values[key] { parts.append("\(title) \(brief(value))\(suffix)") }
      }
      add("loss", "loss")
      let shown = [
        "step", "epoch", "loss", "chance_loss", "seconds", "gradient_norm", "learning_rate",
      ]
      for key in point.values.keys.sorted() {
        let isCost = key.hasPrefix("share_") || key.hasSuffix("_per_second")
        guard !shown.contains(key), !isCost else { continue }
        add(key, key.replacing("_", with: " "))
      }
      if !point.isValidation {
        add("gradient_norm", "gradient norm")
        add("learning_rate", "learning rate")
        add("sequences_per_second", "speed", " sequences/s")
      }
      return Self.column(name) + parts.joined(separator: "  ")
    }
  }

  private func saved(_ now: Date) -> String {
    guard let checkpoint else { return Self.column("checkpoint") + "none yet" }
    let age = checkpoint.time.map { ", \(Self.age($0, now))" } ?? ""
    return Self.column("checkpoint") + "step \(checkpoint.step)\(age)"
  }

  private func places(_ count: Int, _ now: Date) -> [String] {
    var shown = ranks
    if ranks.count > count {
      func waiting(_ rank: Rank) -> Double {
        rank.shares.first { $0.name == "reduction" }?.percent ?? 0
      }
      shown = Array(
        ranks.sorted { (waiting($0), $0.number) < (waiting($1), $1.number) }.prefix(count))
    }
    let slowest = self.slowest
    var lines = shown.map { rank in
      var parts: [String] = []
      if let step = rank.step { parts.append("step \(step)") }
      parts += rank.shares.map { "\($0.name) \(brief($0.percent, digits: 3)) %" }
      if let host = rank.host { parts.append("on \(host)") }
      if let time = rank.time, let newest = newestTime, newest.timeIntervalSince(time) >= 60 {
        parts.append("silent since \(Self.duration(newest.timeIntervalSince(time)))")
      }
      if rank.number == slowest { parts.append(Self.slowestMark) }
      return Self.column("rank \(rank.number)") + parts.joined(separator: "  ")
    }
    if shown.count < ranks.count { lines.append("and \(ranks.count - shown.count) more ranks") }
    return lines
  }

  /// What follows the line of the slowest rank.
  static let slowestMark = "<- the others wait for this rank"

  private static func column(_ title: String) -> String {
    title.padding(toLength: max(12, title.count + 2), withPad: " ", startingAt: 0)
  }

  private static func age(_ time: Date, _ now: Date) -> String {
    "\(duration(now.timeIntervalSince(time))) ago"
  }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(max(0, min(seconds, 1e9)).rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min" }
    return "\(whole / 3600) h \(whole / 60 % 60) min"
  }
}
