// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Files
import Foundation

/// A report about a checkpoint or a data set file.
public struct Inspection {
  private var fields: [(key: String, value: Any)] = []
  /// The text lines of those fields that have their own.
  private var lines: [String: String] = [:]

  /// Adds a field.
  ///
  /// - Parameter text: its text lines; nil for "key: value"
  mutating func add(_ key: String, _ value: Any, text: String? = nil) {
    fields.append((key, value))
    lines[key] = text
  }

  /// Describes a run, a checkpoint or a data set.
  ///
  /// - Parameters:
  ///   - path: the run's or checkpoint's folder, or the data set file
  ///   - verifying: whether to read everything and verify its checksums
  public static func report(of path: String, verifying: Bool) throws -> Inspection {
    guard FileManager.default.fileExists(atPath: path) else {
      throw RunFailure(.unusableData, "\(path): does not exist; \(cure(ofMissing: path))")
    }
    guard DurableFiles.isFolder(path) else { return try dataset(path, verifying: verifying) }
    return try RunFolder.reading(at: path) { try run(path, verifying: verifying) }
  }

  /// The run or the file that a path which does not exist may mean, or what else to name.
  private static func cure(ofMissing path: String) -> String {
    let file = RunFolder.nearest(to: path) == nil ? DurableFiles.nearest(to: path) : nil
    return file.map { "did you mean \($0)?" } ?? RunFolder.cure(ofMissing: path)
  }

  private static func run(_ path: String, verifying: Bool) throws -> Inspection {
    let folders = RunFolder.candidates(at: path)
    guard let folder = folders.first else { throw RunFolder.noCheckpoint(at: path) }
    var report = try checkpoint(folder, verifying: verifying)
    if verifying, folders.count > 1 || folder != path {
      var verified = 1
      for older in folders.dropFirst() {
        do {
          _ = try CheckpointReader(older).checkedTensors()
          verified += 1
        } catch {
          // A run in progress has removed it in the meantime.
          if RunFolder.candidates(at: path).contains(older) { throw error }
        }
      }
      try checkFiles(of: RunFolder(path))
      report.fields.append(("verified_checkpoints", verified))
    }
    return report
  }

  /// Checks the files of a run other than its checkpoints.
  private static func checkFiles(of run: RunFolder) throws {
    guard FileManager.default.fileExists(atPath: run.configuration) else { return }
    _ = try TrainingConfiguration(
      file: run.configuration, assignments: [], isResolved: true)
    let text = DurableFiles.ordinaryContents(of: run.metrics) ?? Data()
    let newline = UInt8(ascii: "\n")
    var lines = text.split(separator: newline)
    // A run in progress, or one that was killed, may have written half of the last line. A resume
    // removes it.
    if text.last != newline { lines = lines.dropLast() }
    for (number, line) in lines.enumerated()
    where (try? JSONSerialization.jsonObject(with: Data(line))) == nil {
      throw RunFailure(
        .unusableData,
        "\(run.metrics): line \(number + 1) is not JSON; remove it, or resume the run")
    }
    guard run.latestCheckpoint != nil else {
      throw RunFailure(
        .unusableData,
        "\(run.checkpoints)/latest: does not point to a checkpoint; resume the run to fix it")
    }
  }

  private static func checkpoint(_ folder: String, verifying: Bool) throws -> Inspection {
    let reader = try CheckpointReader(folder)
    let manifest = reader.manifest
    var report = Inspection()
    report.fields = [
      ("kind", "checkpoint"), ("path", folder), ("step", manifest.step),
      ("epoch", manifest.epoch), ("batch", manifest.batch),
      ("parameters", manifest.parameterCount),
      ("parameters_sha256", manifest.parametersSHA256),
      ("optimizer", manifest.optimizer.name), ("virtual_shards", manifest.machine.virtualShards),
      ("precision", manifest.machine.precision), ("kernels", manifest.machine.kernels),
      ("blas_core", manifest.machine.blasCore), ("written_by_ranks", manifest.machine.ranks),
      ("bytes", manifest.files.reduce(0) { $0 + $1.bytes }),
      (
        "tensors",
        Dictionary(uniqueKeysWithValues: manifest.tensors.map { ($0.path, $0.shape) })
      ),
    ]
    if let data = manifest.data { report.fields.append(("data", data.summary)) }
    if verifying {
      _ = try reader.checkedTensors()
      report.fields.append(("verified", true))
    }
    return report
  }

  private static func dataset(_ path: String, verifying: Bool) throws -> Inspection {
    guard try DatasetSummary.describes(path) else {
      return try listing(of: path, verifying: verifying)
    }
    let summary = try DatasetSummary(path, readingAll: verifying)
    var report = Inspection()
    report.fields = [
      ("kind", "dataset"), ("path", path), ("task", summary.task),
      ("format_version", summary.formatVersion), ("classes", summary.classes),
      ("scaling", summary.scaling), ("parts", summary.parts),
    ]
    if !summary.times.isEmpty { report.addTimes(summary.times) }
    if verifying { report.fields.append(("verified", true)) }
    return report
  }

  /// The report as one JSON object.
  public func json() throws -> String {
    let object = Dictionary(uniqueKeysWithValues: fields.map { ($0.key, $0.value) })
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self)
  }

  /// The report as text, one line per field.
  public var text: String {
    fields.filter { lines[$0.key] != "" }.map { key, value in
      // Fields of several lines have escaped their texts already.
      if let lines = lines[key] { return lines }
      guard let shapes = value as? [String: [Int]] else { return "\(key): \(value)".visible }
      let lines = shapes.sorted { $0.key < $1.key }.map { "  \($0.key.visible) \($0.value)" }
      return "\(key):\n" + lines.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
