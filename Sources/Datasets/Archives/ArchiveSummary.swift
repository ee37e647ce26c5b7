// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A summary of an archive, in lines for the user: classes with their counts, the range of each
/// feature, the first sequences.
public struct ArchiveSummary {
  private let archive: SequenceArchive

  /// At most this many classes or features are shown.
  private static let most = 12
  private static let mostFeatures = 4

  public init(_ archive: SequenceArchive) { self.archive = archive }

  /// The lines to print: targets, features, missing values, and a few rows.
  public var lines: [String] {
    let hasMissing = archive.notes.contains { $0.contains("missing values") }
    return [targets] + features + (hasMissing ? [] : ["missing values: none"]) + rows
  }

  private var targets: String {
    guard archive.target != .values else {
      let values = archive.train.values
      let K = values.count / archive.train.sequences.count
      let ranges = (0..<K).prefix(Self.mostFeatures).map { k in
        Self.range(Swift.stride(from: k, to: values.count, by: K).lazy.map { values[$0] })
      }
      return "numbers to predict: \(K) per sequence: \(ranges.joined(separator: "; "))"
        + (K > Self.mostFeatures ? "; ..." : "")
    }
    let counts = zip(archive.classNames, archive.classCounts).prefix(Self.most)
      .map { "\($0) \($1.train)+\($1.test)" }
    let what = archive.target == .stepClasses ? "steps" : "sequences"
    let by = archive.target == .labels ? "label" : "class"
    return "training and test \(what) by \(by): \(counts.joined(separator: ", "))"
      + (archive.classNames.count > Self.most
        ? ", ... (\(archive.classNames.count) classes)" : "")
  }

  private var features: [String] {
    let C = archive.features
    let shown = (0..<C).prefix(Self.mostFeatures).map { c in
      "  feature \(c): "
        + Self.range(
          archive.train.sequences.lazy.flatMap { sequence in
            Swift.stride(from: c, to: sequence.count, by: C).lazy.map { sequence[$0] }
          })
    }
    return ["inputs of the training part, as given:"] + shown
      + (C > Self.mostFeatures ? ["  ... (\(C) features)"] : [])
  }

  private var rows: [String] {
    let part = archive.train
    return ["first sequences:"]
      + part.sequences.indices.prefix(3).map { index in
        let values = part.sequences[index]
        let shown = values.prefix(6).map(Self.brief).joined(separator: " ")
        let K = part.values.count / part.sequences.count
        let answer =
          switch archive.target {
          case .classes: archive.classNames[Int(part.classes[index])]
          case .labels:
            archive.classNames.indices.filter { part.labels[index][$0] == 1 }.prefix(6)
              .map { archive.classNames[$0] }.joined(separator: "|")
          case .values:
            part.values[index * K..<(index + 1) * K].prefix(4).map(Self.brief)
              .joined(separator: " ")
          case .stepClasses:
            part.stepClasses[index].prefix(6).map { archive.classNames[Int($0)] }
              .joined(separator: " ") + " ..."
          }
        return "  \(values.count / archive.features) steps: \(shown)"
          + (values.count > 6 ? " ..." : "") + "  ->  \(answer)"
      }
  }

  /// "1.2 to 3.4, mean 2.1"
  static func range(_ values: some Sequence<Float>) -> String {
    var (least, most, sum, count) = (Float.infinity, -Float.infinity, 0.0, 0)
    for value in values {
      (least, most) = (min(least, value), max(most, value))
      sum += Double(value)
      count += 1
    }
    return "\(brief(least)) to \(brief(most)), mean \(brief(Float(sum / Double(max(count, 1)))))"
  }

  private static func brief(_ value: Float) -> String { String(format: "%.4g", value) }
}
