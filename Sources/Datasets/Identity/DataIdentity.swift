// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The identity of a run's data. It tells whether other data have the same meaning, and whether
/// they are the same.
///
/// Checkpoints contain it. It has no paths: the same data in another folder, or split into other
/// files, have the same identity.
public struct DataIdentity: Codable, Sendable, Equatable {
  /// The meaning of the numbers.
  public var meaning = DataMeaning()
  /// The parts that the run learns from and selects checkpoints by, by name: train, and the data's
  /// own validation part if it is used.
  public var parts: [String: Part] = [:]
  /// The number of sequences of the training part that are held out for validation, if any.
  public var heldOut: Int?
  /// The settings of generated data.
  public var generated: String?

  public init() {}

  /// One JSON object with sorted keys.
  public var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  private enum CodingKeys: String, CodingKey {
    case meaning, parts, generated
    case heldOut = "held_out"
  }

  /// A part of the data as it is stored, including the sequences held out of it.
  public struct Part: Codable, Sendable, Equatable {
    /// N or, for a text, the number of tokens.
    public var count: Int
    /// T of the longest sequence.
    public var steps: Int
    /// C.
    public var features: Int
    /// The kind of the targets and their width: "classes 10".
    public var kind: String
    /// The fingerprint of the inputs.
    public var inputs: Fingerprint?
    /// The fingerprint of the targets.
    public var targets: Fingerprint?
    /// The starts of sequences of unequal lengths.
    public var offsets: Fingerprint?
    /// The times of the steps; nil if there are none, or if the model does not read them.
    public var times: Fingerprint?

    public init(
      count: Int, steps: Int, features: Int, kind: String, inputs: Fingerprint? = nil,
      targets: Fingerprint? = nil, offsets: Fingerprint? = nil, times: Fingerprint? = nil
    ) {
      self.count = count
      self.steps = steps
      self.features = features
      self.kind = kind
      self.inputs = inputs
      self.targets = targets
      self.offsets = offsets
      self.times = times
    }

    /// The sizes of a source.
    public init(
      of source: some SequenceSource, inputs: Fingerprint? = nil, targets: Fingerprint? = nil,
      offsets: Fingerprint? = nil, times: Fingerprint? = nil
    ) {
      self.init(
        count: source.count, steps: source.steps, features: source.features,
        kind: source.targetKind.name, inputs: inputs, targets: targets, offsets: offsets,
        times: times)
    }
  }
}

/// The meaning of the numbers of a data set. One model can evaluate two data sets that have the
/// same meaning.
public struct DataMeaning: Codable, Sendable, Equatable {
  /// The names of the classes, by their numbers.
  public var classNames: [String]?
  /// The factor of stored inputs.
  public var scaling = 1.0
  /// The statistics by which inputs were normalised before they were stored.
  public var statistics: Statistics?
  /// The statistics by which the targets of a regression were normalised before they were stored.
  public var targets: Statistics?
  /// The tokens of a text.
  public var vocabulary: VocabularyIdentity?
  /// The order of the pixels of the permuted view; nil for other views, and if unknown.
  public var pixelOrder: Fingerprint?

  /// How sounds became inputs; nil if the inputs are not sounds, or if unknown.
  public var sound: SoundFeatures?

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case scaling, statistics, targets, vocabulary, sound
    case classNames = "class_names"
    case pixelOrder = "pixel_order"
  }

  /// The settings of short-time spectra; see `Spectrogram`.
  public struct SoundFeatures: Codable, Sendable, Equatable {
    /// Samples per second.
    public var sampleRate: Double
    /// The samples of a window.
    public var window: Int
    /// The samples from one window to the next.
    public var hop: Int
    /// The number of magnitudes in a frame.
    public var bins: Int

    /// The settings of this version.
    public static let own = SoundFeatures(
      sampleRate: Spectrogram.sampleRate, window: Spectrogram.window, hop: Spectrogram.hop,
      bins: Spectrogram.bins)

    private enum CodingKeys: String, CodingKey {
      case window, hop, bins
      case sampleRate = "sample_rate"
    }
  }

  /// The mean and deviation of each feature. Inputs are stored as (x - mean) / deviation.
  public struct Statistics: Codable, Sendable, Equatable {
    /// SHA-256 over the little-endian bytes of all means, then of all deviations, as Doubles.
    public var sha256: String
    /// The means themselves, for messages, unless there are very many.
    public var mean: [Double]?
    /// The deviations, likewise.
    public var deviation: [Double]?

    init(sha256: String, mean: [Double]?, deviation: [Double]?) {
      (self.sha256, self.mean, self.deviation) = (sha256, mean, deviation)
    }
  }
}

/// A short description of the vocabulary of a text.
public struct VocabularyIdentity: Codable, Sendable, Equatable {
  /// What a token is: a word or a character.
  public var level: String
  /// V, the number of tokens.
  public var count: Int
  /// SHA-256 over the level and the bytes of all tokens in order.
  public var sha256: String
}
