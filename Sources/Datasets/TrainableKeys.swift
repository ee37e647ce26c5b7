// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5

/// The keys with which training could use datasets of a file. They are found by opening the
/// datasets as training does.
struct TrainableKeys {
  let path: String
  let entries: [FileListing.Entry]

  /// The most suggestions and attempts; more would not help.
  private static let mostFound = 5
  private static let mostTried = 200

  /// The name with `{part}` instead of a part's name: `x_train` becomes `x_{part}`.
  static func pattern(of name: String) -> String {
    for part in DatasetFile.Part.allCases {
      if let range = name.range(of: part.rawValue) {
        return name.replacingCharacters(in: range, with: "{part}")
      }
    }
    return name
  }

  /// The keys that would train. If there are none, the reason why the first datasets with fitting
  /// shapes would not.
  func search() -> (found: [[String]], refusal: String?) {
    var found: [[String]] = []
    var refusal: String?
    var tried = 0
    for inputs in candidates {
      for targets in labels(for: inputs) {
        guard found.count < Self.mostFound, tried < Self.mostTried else { return (found, nil) }
        tried += 1
        do throws(DatasetError) {
          if let keys = try keys(inputs, targets), !found.contains(keys) { found.append(keys) }
        } catch {
          refusal = refusal ?? FileListing.onOneLine("\(error.problem); \(error.cure)")
        }
      }
    }
    return (found, found.isEmpty ? refusal : nil)
  }

  /// Datasets that may be inputs, of the training part or of no part; the largest first.
  private var candidates: [FileListing.Entry] {
    entries.filter {
      $0.problem == nil && $0.elementType.isNumber && (1...3).contains($0.shape.count)
        && !$0.shape.contains(0) && !isOfAnotherPart($0.name) && !isOfTimes($0.name)
    }.sorted { ($0.shape.count, size($0), $1.name) > ($1.shape.count, size($1), $0.name) }
  }

  /// Datasets that may be the labels of some inputs; those of the same group first.
  private func labels(for inputs: FileListing.Entry) -> [FileListing.Entry] {
    let parent = Self.parent(of: inputs.name)
    let fitting = entries.filter {
      $0.problem == nil && $0.elementType.isNumber && (1...2).contains($0.shape.count)
        && !$0.shape.contains(0) && $0.name != inputs.name && !isOfAnotherPart($0.name)
        && isOfPart($0.name) == isOfPart(inputs.name) && size($0) < size(inputs)
    }
    return fitting.filter { Self.parent(of: $0.name) == parent }
      + fitting.filter { Self.parent(of: $0.name) != parent }
  }

  /// The keys for two datasets, if they can be trained on.
  private func keys(
    _ inputs: FileListing.Entry, _ targets: FileListing.Entry
  ) throws(DatasetError) -> [String]? {
    if inputs.shape.count >= 2, inputs.shape[0] == targets.shape[0] {
      return try keys(inputs, targets, offsets: nil)
    }
    guard inputs.shape.count <= 2, inputs.shape[0] > targets.shape[0] else { return nil }
    let starts = entries.filter {
      $0.problem == nil && $0.elementType.isNumber && $0.shape == [targets.shape[0] + 1]
        && isOfPart($0.name) == isOfPart(inputs.name) && !isOfAnotherPart($0.name)
    }
    for offsets in starts {
      if let keys = try? keys(inputs, targets, offsets: offsets) { return keys }
    }
    return nil
  }

  private func keys(
    _ inputs: FileListing.Entry, _ targets: FileListing.Entry, offsets: FileListing.Entry?
  ) throws(DatasetError) -> [String] {
    var place = DatasetPlace(path)
    place.memoryLimit = 0
    place.inputs = Self.pattern(of: inputs.name)
    place.targets = Self.pattern(of: targets.name)
    if let offsets { place.offsets = Self.pattern(of: offsets.name) }
    var keys = [
      "dataset.file=\(path)", "dataset.task=classification", "dataset.inputs=\(place.inputs)",
      "dataset.targets=\(place.targets)",
    ]
    func open() throws(DatasetError) -> any SequenceSource {
      if offsets == nil {
        return try FileSource(place, part: .train, view: .rows)
      }
      return try SequenceFileSource(place, task: "classification", part: .train)
    }
    if offsets != nil { keys.append("dataset.offsets=\(place.offsets)") }
    _ = try open()
    for times in times(for: inputs, offsets: offsets) {
      place.times = Self.pattern(of: times.name)
      guard let source = try? open(), (try? source.openTimes()) != nil else { continue }
      return keys + ["dataset.times=\(place.times)"]
    }
    return keys
  }

  /// Datasets that may be the times of some inputs; those of the same group first.
  private func times(
    for inputs: FileListing.Entry, offsets: FileListing.Entry?
  ) -> [FileListing.Entry] {
    let shape = inputs.shape.prefix(offsets == nil ? 2 : 1)
    let fitting = entries.filter {
      isOfTimes($0.name) && $0.problem == nil && $0.elementType.isNumber && $0.shape == Array(shape)
        && isOfPart($0.name) == isOfPart(inputs.name) && !isOfAnotherPart($0.name)
    }
    let parent = Self.parent(of: inputs.name)
    return fitting.filter { Self.parent(of: $0.name) == parent }
      + fitting.filter { Self.parent(of: $0.name) != parent }
  }

  /// Whether a name is common for times: `times`, `train_timestamps`.
  private func isOfTimes(_ name: String) -> Bool {
    let own = name[(name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex)...]
    return own.lowercased().split(separator: "_").contains {
      ["time", "times", "timestamp", "timestamps"].contains($0)
    }
  }

  private func isOfPart(_ name: String) -> Bool { Self.pattern(of: name) != name }

  /// Whether the name is that of the validation or test part.
  private func isOfAnotherPart(_ name: String) -> Bool {
    isOfPart(name)
      && Self.pattern(of: name).replacingOccurrences(of: "{part}", with: "train") != name
  }

  private func size(_ entry: FileListing.Entry) -> Int { entry.shape.reduce(1, *) }

  private static func parent(of name: String) -> Substring {
    name.lastIndex(of: "/").map { name[..<$0] } ?? ""
  }
}
