// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import HDF5
import Models
import Tensors

/// The sequences of a file in the form that a trained model reads.
struct PredictionInput {
  let source: any SequenceSource
  /// The current step of a stream; nil for whole sequences.
  let step: StepSource?
  /// The name of each sequence; nil if the file has none.
  let names: [String]?
  /// The row in the file of each sequence; nil if each row is a sequence.
  let rows: [Int]?
  /// The names of the classes; nil if unknown.
  let classNames: [String]?
  /// Numbers that undo the normalisation of the inputs; nil if outputs are in the file's own units.
  private(set) var statistics: (mean: [Double], deviation: [Double])?
  /// Numbers that give values of a regression in the unit of their targets.
  let targetStatistics: (mean: [Double], deviation: [Double])?
  let notes: [String]

  /// - Parameters:
  ///   - configuration: the configuration of the checkpoint
  ///   - learned: the data that the run learned from
  ///   - kind: the kind of the answers
  init(
    _ request: PredictionRequest, _ configuration: TrainingConfiguration,
    _ learned: LearnedData, _ kind: TargetKind
  ) throws {
    let opening = Opening(
      request: request, configuration: configuration, learned: learned, kind: kind)
    let found =
      if request.isStream {
        try opening.stream()
      } else if UnlabelledSequences.areSounds(request.file) {
        try opening.sounds()
      } else if UnlabelledSequences.reads(request.file) {
        try opening.plain()
      } else {
        try opening.hdf5()
      }
    step = found.source as? StepSource
    (names, rows) = (found.names, found.rows)
    classNames = learned.identity?.meaning.classNames ?? found.source.classNames
    let isForecast = configuration.dataset.task == .forecast
    let meaning = learned.identity?.meaning
    let targets = isForecast ? meaning?.statistics : meaning?.targets
    targetStatistics = targets?.mean.flatMap { mean in targets?.deviation.map { (mean, $0) } }
    var notes = found.notes + opening.missingStatistics(found, hasTargets: targetStatistics != nil)
    var source = found.source
    (source, statistics) = try opening.normalised(source, found, &notes)
    if isForecast, !request.isStream, request.state == nil, request.stateTo == nil {
      source = LastSteps(source, atMost: configuration.dataset.forecast.window)
    }
    let folds = configuration.masking.evaluationFolds
    if configuration.dataset.task == .maskedSpikes, folds > 0 {
      source = FoldedSpikes(
        base: source, folds: folds,
        hasHeldOutPass: source.targetKind.outputs > source.features)
    }
    try learned.requireSizes(of: source, configuration.dataset.view, request.file)
    if let known = opening.features, known != source.features {
      throw DatasetError(
        request.file, "has \(source.features) features per step, but the run learned from \(known)",
        cure: "give the features that the run learned from, in their order")
    }
    self.source = source
    self.notes = notes
  }
}

/// A source, and the meaning of its numbers.
private struct FoundSequences {
  var source: any SequenceSource
  /// The meaning of the numbers of a file that `prepare` made; nil if unknown.
  var meaning: DataMeaning?
  var areWhole: Bool
  var names: [String]?
  var rows: [Int]?
  var notes: [String]
}

/// Opens the sequences of a file.
private struct Opening {
  let request: PredictionRequest
  let configuration: TrainingConfiguration
  let learned: LearnedData
  let kind: TargetKind

  private var dataset: TrainingConfiguration.Dataset { configuration.dataset }
  private var train: DataIdentity.Part? {
    learned.identity?.parts[DatasetFile.Part.train.rawValue]
  }
  /// C of the model; nil if unknown.
  var features: Int? { train?.features ?? learned.features }

  private var isImage: Bool { dataset.task == .classification && dataset.view == .image }

  // MARK: Text and arrays

  func plain() throws -> FoundSequences {
    var format = request.format
    let isFlat =
      dataset.task == .classification && (dataset.view == .pixels || dataset.view == .permuted)
    (format.features, format.isImage, format.isFlat) = (isFlat ? 1 : features, isImage, isFlat)
    format.steps = train.flatMap { $0.offsets == nil ? $0.steps : nil }
    let sequences = try UnlabelledSequences(request.file, format)
    let view = dataset.task == .classification && !isImage ? dataset.view : .rows
    var source: any SequenceSource = try PlainSequences(
      sequences, kind: kind, view: view, pixelOrder: dataset.pixelOrder)
    if let map = sequences.map {
      // From a user's own file, training scales bytes and does not change other numbers.
      let scaling = learned.identity?.meaning.scaling ?? 1
      if sequences.areBytes || sequences.areWhole && scaling != 1 {
        source = NormalisedSequences(source, scaling: 1 / 255, statistics: nil)
      }
      source = ShownImages(source, map: map, as: dataset.imageShow, seed: configuration.seed)
    }
    return FoundSequences(
      source: source, meaning: nil, areWhole: sequences.areWhole, names: sequences.names,
      rows: sequences.rows, notes: sequences.notes)
  }

  // MARK: Sounds

  /// The sounds of a folder, as the features that the run learned from.
  func sounds() throws -> FoundSequences {
    guard let sound = learned.identity?.meaning.sound else {
      throw DatasetError(
        request.file,
        "is a folder, and \(learned.folder) does not say that its inputs are made of sounds",
        cure: "name a file; a folder of sounds is for a run on data that `prepare speech` made")
    }
    guard sound == .own else {
      throw DatasetError(
        request.file,
        "is a folder of sounds, of which the run learned windows of \(sound.window) samples every"
          + " \(sound.hop) at \(Int(sound.sampleRate)) Hz, which this version does not make",
        cure: "make the features as the run's data were made, and name their file")
    }
    let sequences = try UnlabelledSequences(sounds: request.file)
    return FoundSequences(
      source: try PlainSequences(sequences, kind: kind), meaning: nil, areWhole: false,
      names: sequences.names, notes: sequences.notes)
  }

  // MARK: Streams

  /// The current step of a stream, whose numbers have the units of the training data.
  func stream() throws -> FoundSequences {
    guard let features else {
      throw DatasetError(
        learned.folder, "does not say how many numbers a step has",
        cure: "predict from a file, or train again with this version")
    }
    return FoundSequences(
      source: StepSource(features: features, kind: kind), meaning: nil, areWhole: true, names: nil,
      notes: [])
  }

  // MARK: HDF5

  func hdf5() throws -> FoundSequences {
    var configuration = configuration
    configuration.dataset.file = request.file
    configuration.dataset.learned = nil
    configuration.dataset.unlabelled = kind
    configuration.dataset.normalize = .off
    if let name = request.format.inputs {
      configuration.dataset.inputs = name
    } else {
      configuration.dataset.inputs = try inputs(configuration.dataset.place)
    }
    let place = configuration.dataset.place
    let part = try place.measuredPart(request.part)
    configuration.dataset.measured = part
    let source: any SequenceSource
    switch dataset.task {
    case .classification:
      let task = ClassificationTask(configuration.dataset, seed: configuration.seed)
      source = try task.source(part)
    case .maskedSpikes: source = try SpikeSource(place, part: part)
    default:
      source = try SequenceFileSource(place, task: dataset.task.rawValue, part: part)
    }
    let areOurs = try place.areOurs()
    return FoundSequences(
      source: source, meaning: areOurs ? try place.meaning().meaning : nil,
      areWhole: try place.holdsWholeNumbers(part), names: nil, notes: source.notes)
  }

  /// The name of the inputs: the run's name for them, or else the only dataset that fits.
  private func inputs(_ place: DatasetPlace) throws -> String {
    for part in DatasetFile.Part.allCases where try place.holds(part) { return place.inputs }
    return try place.onlyInputs(features: isImage ? nil : features)
  }

  // MARK: Normalisation

  /// Notes about statistics that the numbers need and the checkpoint does not hold.
  func missingStatistics(_ found: FoundSequences, hasTargets: Bool) -> [String] {
    var notes: [String] = []
    let checkpoint = learned.folder
    if learned.identity == nil, found.meaning == nil, !request.isNormalised, !isImage {
      notes.append(
        "\(checkpoint): does not say how inputs were normalised, so those of \(request.file) are"
          + " taken as normalised already")
    }
    let needsTargets =
      dataset.task == .forecast || dataset.task == .regression && learned.identity == nil
    if needsTargets, !hasTargets {
      notes.append(
        "\(checkpoint): does not say how targets were normalised, so values have the unit that the"
          + " model learned")
    }
    return notes
  }

  /// The source with numbers as the model learned them.
  func normalised(
    _ source: any SequenceSource, _ found: FoundSequences, _ notes: inout [String]
  ) throws -> (any SequenceSource, (mean: [Double], deviation: [Double])?) {
    let known = learned.identity?.meaning ?? DataMeaning()
    if let own = found.meaning, own.statistics != nil || known.statistics == nil {
      if let conflict = own.conflict(with: known) {
        throw DatasetError(
          request.file, conflict,
          cure: "prepare it in one command with the run's own data (--from TRAIN TEST), or give the"
            + " raw numbers as .csv, .npy or HDF5")
      }
      return (source, nil)
    }
    guard !request.isNormalised else { return (source, nil) }
    var scaling = found.meaning == nil && !isImage ? known.scaling : 1
    if scaling != 1, !found.areWhole {
      notes.append(
        "\(request.file): holds numbers with a fraction, which are taken as multiplied by"
          + " \(scaling) already")
      scaling = 1
    }
    guard let statistics = known.statistics else {
      return (
        scaling == 1 ? source : NormalisedSequences(source, scaling: scaling, statistics: nil), nil
      )
    }
    guard let mean = statistics.mean, let deviation = statistics.deviation else {
      throw DatasetError(
        request.file,
        "is not normalised, and the checkpoint keeps only the hash of the run's"
          + " statistics, which are very many",
        cure: "prepare it in one command with the run's own data")
    }
    guard mean.count == source.features else {
      throw DatasetError(
        request.file,
        "has \(source.features) features per step, but the run's inputs were"
          + " normalised by the statistics of \(mean.count)",
        cure: "give the features that the run learned from, or add --normalised if the numbers are"
          + " normalised already")
    }
    notes.append("\(request.file): inputs are normalised by the mean and deviation of the run")
    return (
      NormalisedSequences(source, scaling: scaling, statistics: (mean, deviation)),
      (mean, deviation)
    )
  }
}
