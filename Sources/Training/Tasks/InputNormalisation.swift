// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Models
import Reports
import Tensors

/// How the inputs of the user's own files are normalised: each feature by mean and deviation over
/// the training part, or by the statistics of the run that is evaluated or resumed.
final class InputNormalisation {
  private let settings: TrainingConfiguration.Dataset
  /// Known once a part is open; nil if inputs are used unchanged.
  private(set) var statistics: DataMeaning.Statistics?
  /// Notes about inputs that are used unchanged.
  private(set) var notes: [String] = []
  private var hasLooked = false

  /// With larger means and deviations, training hardly works.
  private static let largest = 100.0
  /// The number of sequences to examine for a note.
  private static let sample = 256

  init(_ settings: TrainingConfiguration.Dataset) { self.settings = settings }

  /// A source with the numbers that the model will see.
  ///
  /// - Parameter train: opens the training part, as it is stored
  func applied(
    to source: any SequenceSource, train: () throws -> any SequenceSource
  ) throws -> any SequenceSource {
    guard settings.view != .image, try !settings.place.areOurs() else { return source }
    guard settings.normalize == .features else {
      if !hasLooked, settings.measured == nil { try look(source) }
      hasLooked = true
      return source
    }
    if statistics == nil { statistics = try learnedStatistics ?? Self.statistics(of: train()) }
    guard let mean = statistics?.mean, let deviation = statistics?.deviation else {
      throw DatasetError(
        settings.file, "has more features than statistics are kept for",
        cure: "normalise the inputs in the file, and set dataset.normalize=off")
    }
    guard mean.count == source.features else {
      throw DatasetError(
        settings.file,
        "has \(source.features) features per step, but \(mean.count) were normalised",
        cure: "give the same features in all parts")
    }
    return NormalisedSequences(source, scaling: 1, statistics: (mean, deviation))
  }

  /// The meaning of the numbers that the files declare, with the statistics that normalise them on
  /// reading, and the number of classes that they declare.
  func meaning() throws -> (meaning: DataMeaning, classes: Int?) {
    var (meaning, classes) = try settings.place.meaning()
    if settings.normalize == .features, try !settings.place.areOurs() {
      meaning.statistics = learnedStatistics
    }
    return (meaning, classes)
  }

  private var learnedStatistics: DataMeaning.Statistics? {
    settings.learned?.identity?.meaning.statistics
  }

  private static func statistics(
    of source: any SequenceSource
  ) throws -> DataMeaning.Statistics {
    let (mean, deviation) = try moments(of: source, first: source.count)
    return DataMeaning.Statistics(mean: mean, deviation: deviation.map { $0 > 0 ? $0 : 1 })
  }

  /// Mean and deviation of each feature over the valid steps of the first sequences.
  private static func moments(
    of source: any SequenceSource, first count: Int
  ) throws -> (mean: [Double], deviation: [Double]) {
    let C = source.features
    var (sum, squares, steps) = ([Double](repeating: 0, count: C), [Double](), 0.0)
    squares = sum
    // Two passes: for numbers far from 0, squares would round away the differences.
    var mean = sum
    for pass in 0..<2 {
      for index in 0..<count {
        let x = Tensor<Float>(shape: [source.length(of: index), 1, C])
        _ = try source.read([index], into: x)
        for (place, value) in x.array.enumerated() {
          if pass == 0 {
            sum[place % C] += Double(value)
          } else {
            let distance = Double(value) - mean[place % C]
            squares[place % C] += distance * distance
          }
        }
        if pass == 0 { steps += Double(source.length(of: index)) }
      }
      mean = sum.map { $0 / max(steps, 1) }
    }
    return (mean, squares.map { ($0 / max(steps, 1)).squareRoot() })
  }

  private func look(_ source: any SequenceSource) throws {
    let part = settings.measured ?? .train
    guard settings.view == .rows, try !settings.place.holdsWholeNumbers(part) else { return }
    let (mean, deviation) = try Self.moments(
      of: source, first: min(source.count, Self.sample))
    guard
      let worst = mean.indices.max(by: {
        max(abs(mean[$0]), deviation[$0]) < max(abs(mean[$1]), deviation[$1])
      }), max(abs(mean[worst]), deviation[worst]) > Self.largest
    else { return }
    notes.append(
      "\(settings.file): feature \(worst) of the inputs has mean \(brief(mean[worst])) and deviation"
        + " \(brief(deviation[worst])), a scale that hardly trains; set dataset.normalize=features")
  }
}
