// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// One line of metrics.jsonl. Numbers are written so that they read back to the same bits.
public struct MetricsRecord {
  /// Optimizer steps taken.
  package let step: Int
  /// The part that was measured: `train`, `validation` or `test`.
  package let split: String
  private var fields: [(key: String, text: String)] = []
  /// The measured numbers, without step and epoch, that are finite.
  package private(set) var numbers: [(key: String, value: Double)] = []

  /// A record with these keys first.
  public init(step: Int, epoch: Int, split: String) {
    self.step = step
    self.split = split
    add("step", step)
    add("epoch", epoch)
    fields.append(("split", "\"\(split)\""))
  }

  /// Whether a key may name a number: letters `a` to `z`, digits, `_` and `.`, at most 64 of them.
  /// When a file is read, any other key is ignored.
  package static func isKey(_ key: String) -> Bool {
    (1...64).contains(key.utf8.count)
      && key.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Appends a whole number.
  public mutating func add(_ key: String, _ value: Int) {
    precondition(Self.isKey(key), "the metric key \(key) is not of a-z, 0-9, _ and .")
    fields.append((key, String(value)))
  }

  /// JSON has no infinities: what is not finite is written as null.
  public mutating func add(_ key: String, _ value: Double) {
    precondition(Self.isKey(key), "the metric key \(key) is not of a-z, 0-9, _ and .")
    fields.append((key, value.isFinite ? "\(value)" : "null"))
    if value.isFinite { numbers.append((key, value)) }
  }

  /// The record as a JSON object.
  public var json: String {
    "{" + fields.map { "\"\($0.key)\": \($0.text)" }.joined(separator: ", ") + "}"
  }
}

/// The file metrics.jsonl of a run: one JSON object a line.
package final class MetricsLog {
  private let file: WritableFile

  /// Opens the file and keeps the records of completed work. A resumed run writes the others again.
  ///
  /// - Parameters:
  ///   - step: the last step whose training records stay
  ///   - epochs: the last epoch whose validation records stay
  package init(_ path: String, keepingThrough step: Int, epochs: Int) throws(FileError) {
    let old = Data(try Self.contents(of: path))
    // Bytes are read, because in a String the two bytes of a Windows line end are one character.
    let kept = old.split(separator: UInt8(ascii: "\n")).compactMap { line -> String? in
      let line = Data(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
      guard
        let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
        let lineStep = object["step"] as? Int
      else { return nil }  // a line that a kill cut short
      let isOfLaterEpoch =
        object["split"] as? String == "validation" && object["epoch"] as? Int ?? 0 > epochs
      return lineStep <= step && !isOfLaterEpoch ? String(decoding: line, as: UTF8.self) : nil
    }
    try DurableFiles.write(kept.map { $0 + "\n" }.joined(), to: path)
    file = try WritableFile(path, .atEnd)
  }

  /// The bytes of a log, none if there is none. A log that cannot be read must not be replaced.
  private static func contents(of path: String) throws(FileError) -> [UInt8] {
    do throws(FileError) {
      return try DurableFiles.contents(of: path, limit: .max) ?? []
    } catch {
      guard error.code == ENOENT else { throw error }
      return []
    }
  }

  /// Appends a record as one line in one write.
  package func append(_ record: MetricsRecord) throws(FileError) {
    try file.write(Array((record.json + "\n").utf8))
  }
}
