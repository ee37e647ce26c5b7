// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files
import Foundation
import Yams

#if canImport(Glibc)
  import Glibc
#endif

extension TrainingConfiguration {
  /// Reads a YAML file, if one is given, then `key.path=value` assignments over it.
  ///
  /// - Parameters:
  ///   - file: the path of a YAML file, or nil
  ///   - assignments: `key.path=value` each
  ///   - isResolved: whether the program wrote the file, with every key; nil decides by its keys
  /// - Throws: `ConfigurationError` for an invalid value, and for a key that a user set and that
  ///   the run does not use
  public init(
    file: String?, assignments: [String], isResolved: Bool? = nil
  ) throws(ConfigurationError) {
    try self.init(
      GivenValues(file: file, assignments: assignments, isResolved: isResolved), assignments: [])
  }

  /// The text of a file given to --config, which may be a pipe: it is read once.
  fileprivate static func text(of file: String) throws(ConfigurationError) -> String {
    guard !DurableFiles.isFolder(file) else {
      throw ConfigurationError("\(file): is a folder; name the YAML file with --config")
    }
    let bytes: [UInt8]?
    do {
      bytes = try DurableFiles.contents(of: file, limit: maximumBytes)
    } catch {
      let isMissing = [ENOENT, ENXIO].contains(error.code)
      let detail = unsafe String(cString: strerror(error.code))
      let reason = isMissing ? "no such file" : "cannot be read (\(detail))"
      // mpirun passes its standard input to rank 0, and closes the shell's other descriptors.
      let isYAML = { (name: String) in name.hasSuffix(".yaml") || name.hasSuffix(".yml") }
      let near = isMissing ? DurableFiles.nearest(to: file, where: isYAML) : nil
      let cure =
        isMissing && file.hasPrefix("/dev/fd/")
        ? "mpirun does not pass it on to its ranks; name a file, or pipe it into --config /dev/stdin"
        : near.map { "did you mean \($0)?" } ?? "check the path given to --config"
      throw ConfigurationError("\(file): \(reason); \(cure)")
    }
    guard let bytes else {
      throw ConfigurationError(
        "\(file): has more than \(maximumBytes) bytes; name a YAML file, see configs/ for examples")
    }
    do {
      return String(decoding: try DecodedText(bytes, path: file).bytes, as: UTF8.self)
    } catch {
      throw ConfigurationError("\(error.path): \(error.problem); see configs/ for examples")
    }
  }

  private static let maximumBytes = 1 << 20

  /// Reads a YAML text, such as the configuration in a checkpoint.
  ///
  /// - Parameters:
  ///   - yaml: the text
  ///   - path: where the text comes from, for messages
  ///   - assignments: `key.path=value` each
  ///   - isResolved: whether the program wrote the text, with every key; nil decides by its keys
  public init(
    yaml: String, path: String, assignments: [String] = [], isResolved: Bool? = nil
  ) throws(ConfigurationError) {
    var given = GivenValues()
    try given.add(yaml: yaml, path: path, isResolved: isResolved)
    try self.init(given, assignments: assignments)
  }

  /// The values of a file, then the assignments, in order.
  package init(_ given: GivenValues, assignments: [String]) throws(ConfigurationError) {
    var given = given
    for assignment in assignments { try given.add(assignment: assignment) }
    try self.init(reading: given)
    try checkTogether()
    try refuseUnusedKeys(given)
  }

  /// Reads each key separately.
  init(reading given: GivenValues) throws(ConfigurationError) {
    self.init()
    var reader = ReadingVisitor(given)
    try visit(&reader)
    try reader.refuseUnknownKeys()
  }

  /// Checks that keys agree with one another.
  private func checkTogether() throws(ConfigurationError) {
    try checkLanguageModel()
    try checkEncoder()
    try dataset.checkPermutation()
    try checkMaps()
    guard masking.rampEnd >= masking.rampStart else {
      throw ConfigurationError(
        "masking.ramp_end is \(masking.rampEnd), before masking.ramp_start \(masking.rampStart);"
          + " set masking.ramp_end=\(masking.rampStart) or later")
    }
    guard batchSize >= shards else {
      throw ConfigurationError(
        "batch_size is \(batchSize) and shards is \(shards): every virtual shard needs a sequence;"
          + " raise batch_size or set shards=\(batchSize)")
    }
    if model.cell.system.orthogonal != nil,
      optimizer.name == .asgd || optimizer.averagingWindow > 0
    {
      throw ConfigurationError(
        "model.cell is \(model.cell.configurationText) and optimizer.name"
          + " \(optimizer.name.rawValue): an average of orthogonal matrices about moving bases has"
          + " no meaning; choose another optimizer, without averaging_window")
    }
    if !dataset.isValidated,
      optimizer.schedule == .plateau || optimizer.averagingWindow > 0 || earlyStopping.patience > 0
    {
      throw ConfigurationError(
        "dataset.validation_count is 0, but optimizer.schedule=plateau, averaging_window and"
          + " early_stopping.patience need the validation loss; hold some sequences out")
    }
    if model.bidirectional, dataset.task == .nextFrame {
      throw ConfigurationError(
        "model.bidirectional is true and dataset.task next_frame: a layer that reads from the end"
          + " has seen the frame it is to predict; set model.bidirectional=false")
    }
    if dataset.task.needsFile, dataset.file.isEmpty {
      throw ConfigurationError(
        "dataset.file is empty: the task \(dataset.task.rawValue) needs the file that"
          + " `momentum-dist prepare` made; add --set dataset.file=FILE.h5")
    }
  }

  /// Every key with its value.
  public var keys: [ConfigurationKey] {
    var listing = ListingVisitor()
    var copy = self
    do {
      try copy.visit(&listing)
    } catch {
      preconditionFailure("listing keys cannot fail: \(error)")
    }
    return listing.keys
  }

  /// The configuration as YAML, every key with its value.
  public var yaml: String {
    var text = ""
    var section = ""
    for key in keys {
      let parts = key.path.split(separator: ".").map(String.init)
      if parts.count == 2, parts[0] != section {
        section = parts[0]
        text += "\(section):\n"
      }
      let value = (try? Yams.dump(object: key.value, width: -1))?.trimmingCharacters(in: .newlines)
      let indent = parts.count == 2 ? "  " : ""
      let isPlain = Double(key.value) != nil || Bool(key.value) != nil
      text += "\(indent)\(parts.last!): \(isPlain ? key.value : value ?? key.value)\n"
    }
    return text
  }

  /// The keys whose values differ, with both values.
  public func differences(
    to other: TrainingConfiguration
  ) -> [(key: ConfigurationKey, other: String)] {
    zip(keys, other.keys).compactMap { mine, theirs in
      // Names of two files may be canonically equivalent.
      ExactText(mine.value) == ExactText(theirs.value) ? nil : (mine, theirs.value)
    }
  }
}

extension GivenValues {
  /// The values of a YAML file, if there is one, and of assignments that override it.
  init(
    file: String?, assignments: [String], isResolved: Bool? = nil
  ) throws(ConfigurationError) {
    self.init()
    if let file {
      try add(yaml: TrainingConfiguration.text(of: file), path: file, isResolved: isResolved)
    }
    for assignment in assignments { try add(assignment: assignment) }
  }
}
