import Configuration
import Datasets
import Models
import Reports
import Tensors

/// How the inputs of the user's own files are normalised: each feature by mean and deviation over
/// the training part, or those of the run that is measured or resumed.
final class InputNormalisation {
  private let settings: TrainingConfiguration.Dataset
  /// Known once a part is open; nil if inputs are taken as they are.
  private(set) var statistics: DataMeaning.Statistics?
  /// What is worth a word about inputs that are taken as they are.
  private(set) var notes: [String] = []
  private var hasLooked = false

  /// Larger means and deviations hardly train.
  private static let largest = 100.0
  /// Sequences that are looked at for a note.
  private static let sample = 256

  init(_ settings: TrainingConfiguration.Dataset) { self.settings = settings }

  /// A source with its numbers as the model is to see them.
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

  /// What the files say their numbers mean, with what they are normalised by as they are read, and
  /// how many classes they declare.
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
    // Two passes: the squares of numbers far from 0 would swallow their differences.
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
