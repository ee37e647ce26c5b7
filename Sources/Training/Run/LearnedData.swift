// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Foundation

extension LearnedData {
  /// Refuses a vocabulary that differs from a checkpoint's, if the checkpoint names one.
  static func require(
    _ vocabulary: Vocabulary, _ path: String, of reader: CheckpointReader
  ) throws(DatasetError) {
    guard let learned = reader.manifest.data?.meaning.vocabulary, learned != vocabulary.identity
    else { return }
    throw DatasetError(
      path,
      "its vocabulary (\(vocabulary.count) \(vocabulary.level.rawValue)s) differs from the one that"
        + " \(reader.folder) was trained with (\(learned.count) \(learned.level)s)",
      cure: "name the run's data with --set dataset.file=FILE.h5, or put its vocabulary.h5 back")
  }

  /// What to do about data that do not fit the model.
  private var cure: String {
    use == .measuring
      ? "evaluate the run on data that were prepared together with its own"
      : "restore the run's own data, or start a new run with --output"
  }

  /// What to do about different data, which a resume may accept with `--new-data`.
  var cureWithFlag: String {
    use == .resuming
      ? "restore the run's own data, or add --new-data to continue with these" : cure
  }

  /// Compares the meaning of data with what was learned, and matches the numbers of their classes.
  ///
  /// - Parameters:
  ///   - declared: the number of classes that the data declare
  ///   - path: the path of the data, for messages
  /// - Returns: the numbers of their classes in the run; nil if there are no names to match
  func numbering(
    of meaning: DataMeaning, declared: Int?, _ path: String
  ) throws(DatasetError) -> ClassNumbering? {
    try refuseOtherMeaning(meaning, path)
    guard let names = meaning.classNames, let known = identity?.meaning.classNames else {
      if let declared, let outputs, declared != outputs {
        throw DatasetError(path, "has \(declared) classes; the run learned \(outputs)", cure: cure)
      }
      return nil
    }
    do {
      return try ClassNumbering(names, as: known, path, cure: cureWithFlag)
    } catch {
      // As many classes, but different ones: the read-out learns them from scratch.
      guard use == .resumingOnNewData, names.count == known.count else { throw error }
      return nil
    }
  }

  /// Refuses data whose numbers have another meaning.
  func refuseOtherMeaning(_ meaning: DataMeaning, _ path: String) throws(DatasetError) {
    guard let identity, use != .resumingOnNewData,
      let conflict = meaning.conflict(with: identity.meaning)
    else { return }
    throw DatasetError(
      path, conflict,
      cure: use == .measuring
        ? "prepare it in one command with the run's own data (--from TRAIN TEST), or prepare both"
          + " with --raw and train on that"
        : cureWithFlag)
  }

  /// Refuses sequences that do not fit the model.
  ///
  /// - Parameter view: how they are laid out in time: an order of pixels fixes their number
  func requireSizes(
    of source: any SequenceSource, _ view: SequenceView, _ path: String
  ) throws(DatasetError) {
    let steps = identity?.parts[DatasetFile.Part.train.rawValue]?.steps
    if view == .permuted, let steps, steps != source.steps {
      throw DatasetError(
        path, "has \(source.steps) pixels, but the run learned an order of \(steps)",
        cure: cure)
    }
    for (what, own, known) in [
      ("features per step", source.features, features),
      ("classes or outputs", source.targetKind.outputs, outputs),
    ] {
      guard let known, own != known else { continue }
      throw DatasetError(path, "has \(own) \(what), but the run learned from \(known)", cure: cure)
    }
  }

  /// Refuses images whose pixels are in a different order than the run learned.
  func requireOrder(of meaning: DataMeaning, _ path: String) throws(DatasetError) {
    guard let identity, use != .resumingOnNewData, let order = meaning.pixelOrder,
      let known = identity.meaning.pixelOrder, !order.agrees(with: known)
    else { return }
    throw DatasetError(
      path, "the order of the pixels is not the one that the run learned (\(folder))",
      cure: "set dataset.permutation, permutation_seed and permutation_file to what they were"
        + (use == .resuming ? ", or add --new-data to continue with this order" : ""))
  }

  /// A text with its tokens numbered as in the run.
  ///
  /// - Returns: the text, and a note if its numbers were changed
  /// - Throws: `DatasetError` with the first word that the run did not learn
  func understand(
    _ text: TextFile, _ path: String
  ) throws(DatasetError) -> (text: TextFile, mapping: String?) {
    let (own, known) = (text.vocabulary.identity, identity?.meaning.vocabulary)
    if own == known || known == nil && (vocabulary == nil || own == vocabulary?.identity) {
      return (text, nil)
    }
    guard let known else {
      // Old versions, which stored no identity, could overwrite the vocabulary, so it proves
      // nothing.
      return (
        text,
        "the vocabulary differs from the run's vocabulary.h5, and the checkpoint does not say which"
          + " one it learned"
      )
    }
    guard let vocabulary else {
      throw DatasetError(
        path,
        "its vocabulary (\(own.count) \(own.level)s) differs from the run's (\(known.count)"
          + " \(known.level)s), whose vocabulary.h5 is missing (\(folder))", cure: cure)
    }
    let numbers = try text.vocabulary.numbers(in: vocabulary, path, cure: cure)
    let first = numbers.indices.first { numbers[$0] != Int32($0) }
    let mapping = first.map { place in
      let word = text.vocabulary.tokens[place].debugDescription
      return
        "\(own.level) \(place) of the vocabulary is \(word), which is \(numbers[place]) in the run;"
        + " \(own.level)s are renumbered as in the run"
    }
    return (text.renumbered(numbers, as: vocabulary), mapping)
  }
}

extension TrainingConfiguration {
  /// The configuration of a run that resumes from a checkpoint, with the data that it learned from.
  /// Every rank calls this.
  ///
  /// - Parameters:
  ///   - path: a run's folder or a checkpoint's
  ///   - acceptingNewData: whether the user allows different data
  ///   - agreement: what the ranks agree through
  /// - Throws: `RunFailure` if there is no checkpoint, or if its model is different
  public func resuming(
    _ path: String, acceptingNewData: Bool, _ agreement: Agreement
  ) throws(RunFailure) -> TrainingConfiguration {
    let folder = try agreement.fromRoot { try RunFolder.firstReadable(at: path).folder }
    return try agreement.together {
      let reader = try CheckpointReader(folder)
      var configuration = self
      if dataset.heldOut == .automatic {
        configuration.dataset.heldOut = try TrainingConfiguration(of: reader).dataset.heldOut
      }
      _ = try configuration.refuseAnotherModel(than: reader)
      configuration.dataset.learned = LearnedData(
        of: reader, acceptingNewData ? .resumingOnNewData : .resuming)
      return configuration
    }
  }
}

extension Vocabulary {
  /// Writes the vocabulary into the folder of a run. A run that has checkpoints keeps its own.
  func keep(in run: RunFolder) throws {
    if !run.savedSteps().isEmpty, let own = try? Vocabulary(contentsOf: run.vocabulary) {
      guard own.identity != identity else { return }
      throw RunFailure(
        .unusableData,
        "\(run.vocabulary): is not the data's vocabulary, and a run keeps its own; start a new"
          + " run with --output, or move the file away if it is not the run's")
    }
    try write(to: run.vocabulary)
  }
}
