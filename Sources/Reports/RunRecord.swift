// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation

/// A key of a run's configuration, with its value.
public struct ReportedKey: Equatable, Sendable {
  /// The full name: "optimizer.learning_rate".
  public var path: String
  /// The value as text.
  public var value: String

  public init(_ path: String, _ value: String) {
    self.path = path
    self.value = value
  }
}

/// The error for a folder without a reportable run, in one line.
public struct ReportError: Error, CustomStringConvertible, Sendable {
  public let description: String
}

/// The contents of a run's folder, also while the run is in progress.
public struct RunRecord {
  /// Reads the text of a run's config.yaml at a path; nil if it cannot be read.
  public typealias ConfigurationReader = (_ yaml: String, _ path: String) -> [ReportedKey]?

  /// One line of metrics.jsonl.
  struct Point {
    var step: Int
    var epoch: Int
    var isValidation: Bool
    /// The numbers by key, without those that were not finite.
    var values: [String: Double]
  }

  /// The run's folder.
  public let path: String
  /// Its name in the report.
  public var label: String
  /// Every key of its configuration; nil if that cannot be read.
  let configuration: [ReportedKey]?
  let points: [Point]
  /// The results of `evaluate` on the test part; nil before that.
  let test: EvaluationRecord?

  /// Reads a run's folder.
  ///
  /// - Throws: if there is neither a configuration nor a metrics file
  public init(_ path: String, configuration read: ConfigurationReader) throws(ReportError) {
    let run = RunFolder(path)
    let files = FileManager.default
    guard files.fileExists(atPath: run.configuration) || files.fileExists(atPath: run.metrics)
    else {
      throw ReportError(
        description: "\(path): "
          + Self.refusal(
            of: path, without: "config.yaml and no metrics.jsonl",
            others: ", or all of them: \(path)/*"))
    }
    self.path = path
    label = path
    let yaml = DurableFiles.ordinaryContents(of: run.configuration).map {
      String(decoding: $0, as: UTF8.self)
    }
    configuration = yaml.flatMap { read($0, run.configuration) }
    let lines = DurableFiles.ordinaryContents(of: run.metrics) ?? Data()
    points = lines.split(separator: UInt8(ascii: "\n")).compactMap { Self.point(Data($0)) }
    test = EvaluationRecord(contentsOf: EvaluationRecord.path(in: path, split: "test"))
  }

  /// Why a path is not a run, and what to name instead.
  ///
  /// - Parameters:
  ///   - files: what a run has: "config.yaml and no metrics.jsonl"
  ///   - others: what follows the name of a run in the folder
  static func refusal(of path: String, without files: String, others: String = "") -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      return "does not exist; \(RunFolder.cure(ofMissing: path, where: isRun))"
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let runs = names.filter { name in
      FileManager.default.fileExists(atPath: RunFolder("\(path)/\(name)").configuration)
    }.sorted()
    let what = "holds no \(files); name the folder of a run"
    return runs.first.map { "\(what), such as \(path)/\($0)\(others)" } ?? what
  }

  /// Whether a folder is a run, also before its first checkpoint, or several seeds or a sweep.
  private static func isRun(_ path: String) -> Bool {
    let run = RunFolder(path)
    let files = [
      run.configuration, run.metrics, SeedSeries.summaryPath(path), SweepRecord.path(path),
    ]
    return files.contains(where: FileManager.default.fileExists(atPath:))
      || !SeedSeries.folders(in: path).isEmpty
  }

  /// The runs at a path: the run itself, or each run of a series of seeds or of a sweep.
  public static func all(
    at path: String, configuration read: ConfigurationReader
  ) throws(ReportError) -> [RunRecord] {
    let trials = SweepRecord(at: path)?.ranking.map { SweepRecord.folder(path, trial: $0) } ?? []
    let seeds = trials + SeedSeries.folders(in: path)
    if seeds.isEmpty { return [try RunRecord(path, configuration: read)] }
    var runs: [RunRecord] = []
    for folder in seeds {
      if let run = try? RunRecord(folder, configuration: read) { runs.append(run) }
    }
    return runs
  }

  /// A complete line; a run in progress may have an incomplete one.
  static func point(_ line: Data) -> Point? {
    guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
      let step = object["step"] as? Int, let epoch = object["epoch"] as? Int,
      let split = object["split"] as? String
    else { return nil }
    return Point(
      step: step, epoch: epoch, isValidation: split == "validation",
      values: object.compactMapValues { ($0 as? NSNumber)?.doubleValue }
        .filter { MetricsRecord.isKey($0.key) && $0.value.isFinite })
  }

  /// Steps per epoch, if the records show it.
  private var stepsPerEpoch: Double? {
    if let last = points.last(where: \.isValidation), last.epoch > 0 {
      return Double(last.step) / Double(last.epoch)
    }
    // The last recorded step of a finished epoch.
    guard let last = points.last else { return nil }
    let before = points.last { $0.epoch < last.epoch }
    return before.map { Double($0.step) / Double($0.epoch) }
  }

  /// A metric against one of the axes, of training or of validation.
  func curve(_ key: String, validation: Bool, by axis: ChartAxis) -> [ChartPoint] {
    let perEpoch = stepsPerEpoch
    return points.filter { $0.isValidation == validation }.compactMap { point in
      guard let y = point.values[key] else { return nil }
      let x: Double? =
        switch axis {
        case .step: Double(point.step)
        case .epoch: validation ? Double(point.epoch) : perEpoch.map { Double(point.step) / $0 }
        case .time: point.values["seconds"].map { $0 / 60 }
        }
      return x.map { ChartPoint(x: $0, y: y) }
    }
  }

  /// The epochs that are complete.
  var completeEpochs: Int { points.last(where: \.isValidation)?.epoch ?? 0 }

  /// Whether the records have a time.
  var hasTimes: Bool { points.contains { $0.values["seconds"] != nil } }

  /// The validation record with the lowest loss.
  var best: Point? {
    points.filter { $0.isValidation && $0.values["loss"] != nil }
      .min { $0.values["loss"]! < $1.values["loss"]! }
  }

  /// The progress of the run.
  var standing: String {
    guard let last = points.last else { return "nothing recorded yet" }
    let planned = configuration?.first { $0.path == "epochs" }.map { " of \($0.value)" } ?? ""
    return "epoch \(last.epoch)\(planned), step \(last.step)"
  }

  /// The baseline loss on the validation part, if the records have it.
  var chanceLoss: Double? { points.last(where: \.isValidation)?.values["chance_loss"] }

  /// The metrics other than the loss in any record, under the task's names.
  var metricKeys: [String] { Self.metricKeys(points.flatMap(\.values.keys)) }

  /// Those of `keys` that name a metric of the task other than the loss, sorted.
  package static func metricKeys(_ keys: [String]) -> [String] {
    let others = ["step", "epoch", "loss", "chance_loss", "gradient_norm", "learning_rate"]
    return Set(keys).filter { key in
      !others.contains(key) && !key.hasPrefix("share_") && !key.hasSuffix("seconds")
        && !key.hasSuffix("_per_second")
    }.sorted()
  }

  /// The median of sequences per second in training.
  var speed: Double? {
    let all = points.filter { !$0.isValidation }.compactMap { $0.values["sequences_per_second"] }
    return all.isEmpty ? nil : all.sorted()[all.count / 2]
  }
}

extension [RunRecord] {
  /// The runs with distinct labels: as many of the last components of their paths as are needed.
  public func withDistinctLabels() -> [RunRecord] {
    let parts = map { $0.path.split(separator: "/").map(String.init) }
    var count = 1
    func labels() -> [String] { parts.map { $0.suffix(count).joined(separator: "/") } }
    while Set(labels()).count < self.count, count < (parts.map(\.count).max() ?? 0) { count += 1 }
    return zip(self, labels()).map { run, label in
      var run = run
      run.label = label.isEmpty ? run.path : label
      return run
    }
  }
}
