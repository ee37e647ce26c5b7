// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Models

/// The results of `evaluate` on a part of the data, as kept in the run's folder.
public struct EvaluationRecord: Codable, Sendable {
  /// The part that was evaluated, such as `test`.
  public var split: String
  /// The checkpoint's step.
  public var step: Int
  /// The checkpoint's epoch.
  public var epoch: Int
  /// Which checkpoint was evaluated: `best` on validation, or the `latest`.
  public var checkpoint: String
  /// The loss; nil if it is not finite.
  public var loss: Double?
  /// Metrics in addition to the loss, by key.
  public var metrics: [String: Double]
  /// How many sequences were evaluated.
  public var sequences: Int
  /// How many answers the loss is a mean over.
  public var elements: Int
  /// The baseline loss.
  public var chanceLoss: Double?
  /// The meaning of the baseline loss: "guessing".
  public var chanceMeaning: String?
  /// For a classification: the counts of class [true][predicted].
  public var confusion: [[Int]]?
  /// The names of the classes, if the data have them.
  public var classNames: [String]?
  /// For a forecast or a regression of several values: the error of each; the metric is their mean.
  public var valueErrors: [ValueError]?
  /// For a forecast: the first ones, to be drawn.
  public var forecasts: ForecastCurves?

  /// The error of one of several values.
  public struct ValueError: Codable, Sendable, Equatable {
    /// The name of the value, as the data set names it.
    public var name: String
    /// The mean absolute error, in the unit of the value.
    public var mae: Double

    public init(name: String, mae: Double) {
      (self.name, self.mae) = (name, mae)
    }
  }

  public init(
    split: String, step: Int, epoch: Int, checkpoint: String, loss: Double,
    metrics: [String: Double], sequences: Int, elements: Int
  ) {
    self.split = split
    self.step = step
    self.epoch = epoch
    self.checkpoint = checkpoint
    self.loss = loss.isFinite ? loss : nil
    self.metrics = metrics.filter(\.value.isFinite)
    self.sequences = sequences
    self.elements = elements
  }

  /// The path of a part's record in a run's folder.
  public static func path(in run: String, split: String) -> String {
    "\(run)/evaluation-\(split).json"
  }

  /// The most bytes of a record's file, which take about a second to read. A confusion matrix of
  /// 1000 classes fits.
  static let maximumBytes = 1 << 22

  /// Reads a record; nil if there is none, if it is too large, or if it has another form.
  public init?(contentsOf path: String) {
    guard let data = DurableFiles.ordinaryContents(of: path, limit: Self.maximumBytes) else {
      return nil
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let record = try? decoder.decode(Self.self, from: data) else { return nil }
    self = record
    metrics = metrics.filter { MetricsRecord.isKey($0.key) }
  }

  /// The record as one JSON object on a line: first the fields of a line of metrics.jsonl, then the
  /// rest.
  public var json: String {
    get throws {
      var first = MetricsRecord(step: step, epoch: epoch, split: split)
      first.add("loss", loss ?? .nan)
      for name in metrics.keys.sorted() { first.add(name, metrics[name]!) }
      first.add("sequences", sequences)
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      let object = try JSONSerialization.jsonObject(with: encoder.encode(self)) as? [String: Any]
      let told = ["step", "epoch", "split", "loss", "sequences"]
      let rest = try JSONSerialization.data(
        withJSONObject: (object ?? [:]).filter { !told.contains($0.key) },
        options: [.sortedKeys, .withoutEscapingSlashes])
      return first.json.dropLast() + ", " + String(decoding: rest, as: UTF8.self).dropFirst()
    }
  }

  /// Writes the record into a run's folder, completely or not at all, but without a confusion matrix
  /// that is too large to be read again. It also writes results of the test part for TensorBoard,
  /// which has those of the other parts from training.
  ///
  /// - Returns: what was left out, for the user; nil if nothing was
  public func write(to run: String) throws -> String? {
    var (text, note) = (try json, String?.none)
    if text.utf8.count >= Self.maximumBytes, let confusion {
      var short = self
      (short.confusion, short.classNames) = (nil, nil)
      text = try short.json
      note =
        "the confusion matrix of \(confusion.count) classes is not kept for the report: it takes"
        + " more than \(Self.maximumBytes >> 20) MB"
    }
    try DurableFiles.write(text + "\n", to: Self.path(in: run, split: split))
    if split == "test" { try TensorBoardLog.write(self, in: run) }
    return note
  }
}
