import Foundation
import HDF5

/// The keys under which datasets of a file could be trained on, found by opening them as training
/// does.
struct TrainableKeys {
  let path: String
  let entries: [FileListing.Entry]

  /// More suggestions, or more attempts, than these help nobody.
  private static let mostFound = 5
  private static let mostTried = 200

  /// The name with `{part}` in the place of a part's name: `x_train` becomes `x_{part}`.
  static func pattern(of name: String) -> String {
    for part in DatasetFile.Part.allCases {
      if let range = name.range(of: part.rawValue) {
        return name.replacingCharacters(in: range, with: "{part}")
      }
    }
    return name
  }

  var found: [[String]] {
    var found: [[String]] = []
    var tried = 0
    for inputs in candidates {
      for targets in labels(for: inputs) {
        guard found.count < Self.mostFound, tried < Self.mostTried else { return found }
        tried += 1
        if let keys = keys(inputs, targets), !found.contains(keys) { found.append(keys) }
      }
    }
    return found
  }

  /// Datasets that may be inputs, of the training part or of none; the largest first.
  private var candidates: [FileListing.Entry] {
    entries.filter {
      $0.problem == nil && $0.elementType.isNumber && (1...3).contains($0.shape.count)
        && !$0.shape.contains(0) && !isOfAnotherPart($0.name)
    }.sorted { ($0.shape.count, size($0), $1.name) > ($1.shape.count, size($1), $0.name) }
  }

  /// Datasets that may be the labels of some inputs: those beside them first.
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
  private func keys(_ inputs: FileListing.Entry, _ targets: FileListing.Entry) -> [String]? {
    if inputs.shape.count >= 2, inputs.shape[0] == targets.shape[0] {
      if let keys = keys(inputs, targets, offsets: nil) { return keys }
    }
    guard inputs.shape.count <= 2, inputs.shape[0] > targets.shape[0] else { return nil }
    let starts = entries.filter {
      $0.problem == nil && $0.elementType.isNumber && $0.shape == [targets.shape[0] + 1]
        && isOfPart($0.name) == isOfPart(inputs.name) && !isOfAnotherPart($0.name)
    }
    return starts.lazy.compactMap { keys(inputs, targets, offsets: $0) }.first
  }

  private func keys(
    _ inputs: FileListing.Entry, _ targets: FileListing.Entry, offsets: FileListing.Entry?
  ) -> [String]? {
    var place = DatasetPlace(path)
    place.memoryLimit = 0
    place.inputs = Self.pattern(of: inputs.name)
    place.targets = Self.pattern(of: targets.name)
    if let offsets { place.offsets = Self.pattern(of: offsets.name) }
    var keys = [
      "dataset.file=\(path)", "dataset.task=classification", "dataset.inputs=\(place.inputs)",
      "dataset.targets=\(place.targets)",
    ]
    do throws(DatasetError) {
      if offsets == nil {
        _ = try FileSource(place, part: .train, view: .rows, permutationSeed: 1)
      } else {
        keys.append("dataset.offsets=\(place.offsets)")
        _ = try SequenceFileSource(place, task: "classification", part: .train)
      }
      return keys
    } catch {
      return nil
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
