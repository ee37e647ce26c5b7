// SPDX-License-Identifier: Apache-2.0

extension DataIdentity {
  /// The differences from the data that the run learned from, in order.
  ///
  /// - Parameter learned: the identity of the data that the run learned from
  public func changes(since learned: DataIdentity) -> [String] {
    // Settings of generated data change only through keys, and a resume reports changed keys.
    if generated != nil, learned.generated != nil { return [] }
    var changes: [String] = []
    if let names = learned.meaning.classNames, let own = meaning.classNames, names != own {
      changes.append("the classes are \(quoted(own)), but the run learned \(quoted(names))")
    }
    if let conflict = meaning.conflict(with: learned.meaning) { changes.append(conflict) }
    for part in DatasetFile.Part.allCases.map(\.rawValue) {
      switch (parts[part], learned.parts[part]) {
      case (let own?, let known?): changes += own.changes(since: known, part)
      case (.some, nil) where part != "train":
        changes.append("the run had no \(part) part, but the data have one")
      case (nil, .some): changes.append("the run had a \(part) part, but the data have none")
      default: break
      }
    }
    return changes
  }

  /// Whether validation is on the same sequences as before.
  public func validatesAlike(_ learned: DataIdentity) -> Bool {
    let part = DatasetFile.Part.validation.rawValue
    guard generated == learned.generated, heldOut == learned.heldOut else { return false }
    switch (parts[part], learned.parts[part]) {
    case (let own?, let known?): return own.changes(since: known, part).isEmpty
    case (nil, nil):
      guard heldOut ?? 0 > 0, let own = parts["train"], let known = learned.parts["train"] else {
        return true
      }
      return own.changes(since: known, "train").isEmpty
    default: return false
    }
  }
}

extension DataIdentity.Part {
  /// The differences, in order.
  public func changes(since learned: Self, _ part: String) -> [String] {
    var changes: [String] = []
    let unit = kind == "tokens" ? "tokens" : "sequences"
    let phrase = part == "train" ? "the run learned from" : "the run was validated on"
    for (what, own, known) in [
      (unit, count, learned.count), ("time steps", steps, learned.steps),
      ("features", features, learned.features),
    ] where own != known {
      changes.append("the \(part) part has \(own) \(what), but \(phrase) \(known)")
    }
    if kind != learned.kind {
      changes.append("the \(part) part has targets of \(kind), but \(phrase) \(learned.kind)")
    }
    switch (times, learned.times) {
    case (nil, .some): changes.append("the \(part) part has no times, but \(phrase) times")
    case (.some, nil): changes.append("the \(part) part has times, but \(phrase) none")
    default: break
    }
    // If the counts differ, the numbers differ anyway.
    guard changes.isEmpty else { return changes }
    for (what, own, known) in [
      ("inputs", inputs, learned.inputs), ("targets", targets, learned.targets),
      ("offsets", offsets, learned.offsets), ("times", times, learned.times),
    ] {
      guard let own, let known, !own.agrees(with: known) else { continue }
      let name = unit == "tokens" ? "tokens" : what
      changes.append("the \(name) of the \(part) part are not those that \(phrase)")
    }
    return changes
  }
}

extension DataMeaning {
  /// The first difference that changes what a stored number means; nil if there is none.
  /// Classes and tokens are compared by name.
  public func conflict(with learned: DataMeaning) -> String? {
    if scaling != learned.scaling {
      return "the inputs are multiplied by \(scaling), but the run's by \(learned.scaling)"
    }
    if let pixelOrder, let known = learned.pixelOrder, !pixelOrder.agrees(with: known) {
      return "the order of the pixels is not the one that the run learned"
    }
    if let own = targets, let known = learned.targets, own.sha256 != known.sha256 {
      return "the targets are normalised with other statistics than the run's ("
        + own.difference(from: known, ["target_mean", "target_std"]) + ")"
    }
    switch (statistics, learned.statistics) {
    case (nil, nil): return nil
    case (let own?, nil):
      return "the inputs are normalised (\(own.example)), but the run's are not"
    case (nil, let known?):
      return "the inputs are not normalised, but the run's are (\(known.example))"
    case (let own?, let known?):
      guard own.sha256 != known.sha256 else { return nil }
      return "the inputs are normalised with other statistics than the run's ("
        + own.difference(from: known) + ")"
    }
  }
}

extension DataMeaning.Statistics {
  fileprivate var example: String {
    mean?.first.map { "feature_mean[0] is \($0)" } ?? "feature_mean"
  }

  fileprivate func difference(
    from other: Self, _ names: [String] = ["feature_mean", "feature_std"]
  ) -> String {
    for (name, own, known) in [
      (names[0], mean, other.mean), (names[1], deviation, other.deviation),
    ] {
      guard let own, let known else { continue }
      if own.count != known.count { return "\(name) has \(own.count) numbers, not \(known.count)" }
      if let place = own.indices.first(where: { own[$0] != known[$0] }) {
        return "\(name)[\(place)] is \(own[place]), not \(known[place])"
      }
    }
    return names.joined(separator: " or ")
  }
}

/// Names in quotes, with escapes, the first few of many.
func quoted(_ names: [String]) -> String {
  let first = names.prefix(10).map(\.debugDescription).joined(separator: ", ")
  return names.count > 10 ? "\(first), ... (\(names.count))" : first
}
