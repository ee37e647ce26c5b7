// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Datasets

/// The identity of the data that a run learned from, as stored in its checkpoint. Other data are
/// compared with it when they are opened. They are refused, or matched by the names of their
/// classes and words.
public struct LearnedData: Sendable, Equatable {
  /// What the checkpoint is used for.
  public enum Use: Sendable {
    /// The model is evaluated.
    case measuring
    /// The run resumes on the same data.
    case resuming
    /// The run resumes, and the user allows different data (`--new-data`).
    case resumingOnNewData
  }

  /// The use of the checkpoint, which decides what must match.
  public let use: Use
  /// The checkpoint's folder.
  public let folder: String
  /// The identity of the data; nil if the checkpoint is from a version that did not store it.
  public let identity: DataIdentity?
  /// C of a model of whole sequences, known from every checkpoint.
  package let features: Int?
  /// The outputs of such a model.
  package let outputs: Int?
  /// The vocabulary of the run; nil if it is missing, damaged or not the one learned.
  package let vocabulary: Vocabulary?

  /// Whether the run learned from times of the steps; nil if unknown.
  public var learnedTimes: Bool? {
    identity?.parts[DatasetFile.Part.train.rawValue].map { $0.times != nil }
  }

  /// Reads the identity of the data from a checkpoint.
  public init(of reader: CheckpointReader, _ use: Use) {
    self.use = use
    folder = reader.folder
    identity = reader.manifest.data
    func shape(_ name: String) -> [Int]? {
      reader.manifest.tensors.first { $0.path == "parameters/\(name)" }?.shape
    }
    // A convolution's weight has only the channels.
    features = shape("rnn.weight_ih_l0").flatMap { $0.count == 2 ? $0.last : nil }
    outputs = shape("readout.weight")?.first
    let path = RunFolder(ofCheckpoint: reader.folder).vocabulary
    // A vocabulary that is damaged or belongs to another text is ignored.
    let own = try? Vocabulary(contentsOf: path)
    let known = reader.manifest.data?.meaning.vocabulary
    vocabulary = known == nil || known == own?.identity ? own : nil
  }
}
