// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Tensors

/// The weights of classes in the loss, as `dataset.class_weights` says. Those of `balanced` are
/// counted once, in the sequences that are trained on, and stay with the run.
final class ClassWeighting {
  private let settings: TrainingConfiguration.Dataset
  /// w [K]; nil if every class weighs 1, or before they are known.
  private(set) var weights: [Double]?

  init(_ settings: TrainingConfiguration.Dataset) { self.settings = settings }

  /// Determines the weights when a part is opened.
  ///
  /// - Parameter source: the sequences of the part, of the training part those that are trained on
  func find(in source: any SequenceSource, _ part: DatasetFile.Part) throws {
    let K = source.targetKind.outputs
    switch settings.classWeights {
    case .off: return
    case .list(let numbers):
      guard numbers.count == K else {
        throw ConfigurationError(
          "dataset.class_weights has \(numbers.count) numbers, but there are \(K) classes; give one"
            + " for each class")
      }
      weights = numbers
    case .balanced:
      guard weights == nil else { return }
      guard settings.measured == nil else {
        throw ConfigurationError(
          "dataset.class_weights is balanced, which is counted in the training part; leave it out,"
            + " and the weights of the run are taken")
      }
      guard part == .train else { return }
      weights = Self.balanced(try Self.counts(source))
    }
  }

  /// N / (K N_k); 1 for a class that does not occur.
  static func balanced(_ counts: [Int]) -> [Double] {
    let (all, K) = (Double(counts.reduce(0, +)), Double(counts.count))
    return counts.map { $0 > 0 ? all / (K * Double($0)) : 1 }
  }

  /// The number of targets of each class.
  private static func counts(_ source: any SequenceSource) throws -> [Int] {
    var counts = [Int](repeating: 0, count: source.targetKind.outputs)
    for label in try classes(of: source) where label >= 0 { counts[Int(label)] += 1 }
    return counts
  }

  /// The class of each sequence, or of each of its steps.
  static func classes(of source: any SequenceSource) throws -> [Int32] {
    var classes: [Int32] = []
    for index in 0..<source.count {
      let x = Tensor<Float>(shape: [source.length(of: index), 1, source.features])
      classes += try source.read([index], into: x).whole
    }
    return classes
  }

  /// The configuration with the weights that were counted.
  func resolved(_ configuration: TrainingConfiguration) -> TrainingConfiguration {
    var configuration = configuration
    if let weights { configuration.dataset.classWeights = .list(weights) }
    return configuration
  }
}
