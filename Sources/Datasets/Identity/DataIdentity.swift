// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The identity of a run's data: enough to tell whether other data mean the same, and whether they
/// are the same.
///
/// Checkpoints hold it. It names no paths: the same data in another place, or cut into other files,
/// have the same identity.
public struct DataIdentity: Codable, Sendable, Equatable {
  /// What the numbers mean.
  public var meaning = DataMeaning()
  /// The parts that the run learns from and chooses by, by name: train, and the data's own
  /// validation part if that is used.
  public var parts: [String: Part] = [:]
  /// How many sequences of the training part are held out for validation, if any.
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

  /// A part of the data as it is stored, with what is held out of it.
  public struct Part: Codable, Sendable, Equatable {
    /// N, or, of a text, how many tokens.
    public var count: Int
    /// T of the longest sequence.
    public var steps: Int
    /// C.
    public var features: Int
    /// The kind of the targets and their width: "classes 10".
    public var kind: String
    public var inputs: Fingerprint?
    public var targets: Fingerprint?
    /// Where sequences of unequal lengths begin.
    public var offsets: Fingerprint?
    /// When each step happened; nil where there are no times, or the model does not read them.
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

/// What the numbers of a data set mean: two sets with the same meaning can be measured by the same
/// model.
public struct DataMeaning: Codable, Sendable, Equatable {
  /// What the classes are called, by their numbers.
  public var classNames: [String]?
  /// What stored inputs are multiplied by.
  public var scaling = 1.0
  /// What inputs were normalised by before they were stored.
  public var statistics: Statistics?
  /// What the targets of a regression were normalised by before they were stored.
  public var targets: Statistics?
  /// The tokens of a text.
  public var vocabulary: VocabularyIdentity?
  /// The order of the pixels of the permuted view; nil for other views, and if unknown.
  public var pixelOrder: Fingerprint?

  /// How sounds became inputs; nil if they are none, and if unknown.
  public var sound: SoundFeatures?

  public init() {}

  private enum CodingKeys: String, CodingKey {
    case scaling, statistics, targets, vocabulary, sound
    case classNames = "class_names"
    case pixelOrder = "pixel_order"
  }

  /// The short-time spectra that inputs are, see `Spectrogram`.
  public struct SoundFeatures: Codable, Sendable, Equatable {
    /// Samples a second.
    public var sampleRate: Double
    /// Samples of a window, and from one to the next.
    public var window: Int
    public var hop: Int
    /// How many magnitudes a frame has.
    public var bins: Int

    /// Those that this version computes.
    public static let own = SoundFeatures(
      sampleRate: Spectrogram.sampleRate, window: Spectrogram.window, hop: Spectrogram.hop,
      bins: Spectrogram.bins)

    private enum CodingKeys: String, CodingKey {
      case window, hop, bins
      case sampleRate = "sample_rate"
    }
  }

  /// Mean and deviation of each feature: inputs are stored as (x - mean) / deviation.
  public struct Statistics: Codable, Sendable, Equatable {
    /// SHA-256 over the little-endian bytes of all means, then of all deviations, as Doubles.
    public var sha256: String
    /// The numbers themselves, unless there are very many, for messages.
    public var mean: [Double]?
    public var deviation: [Double]?

    init(sha256: String, mean: [Double]?, deviation: [Double]?) {
      (self.sha256, self.mean, self.deviation) = (sha256, mean, deviation)
    }
  }
}

/// The vocabulary of a text in a few words.
public struct VocabularyIdentity: Codable, Sendable, Equatable {
  public var level: String
  public var count: Int
  /// SHA-256 over the level and the bytes of all tokens in order.
  public var sha256: String
}
