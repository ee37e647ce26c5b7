// SPDX-License-Identifier: Apache-2.0

import RandomNumbers

/// Puts 80 % of the speakers into training and 10 % each into validation and test, at least one
/// into each. The split is the same in every run, and no speaker is in two parts.
///
/// - Parameter samePerson: pairs of names that belong to one person
func splitBySpeaker(
  _ speakers: Set<ExactText>, samePerson: [(String, String)], path: String
) throws(DatasetError) -> [ExactText: DatasetFile.Part] {
  var person = Dictionary(uniqueKeysWithValues: speakers.map { ($0, $0) })
  for (a, b) in samePerson.map({ (ExactText($0), ExactText($1)) }) {
    guard let first = person[a], let second = person[b] else {
      let examples = speakers.sorted().prefix(5).map(\.text).joined(separator: ", ")
      throw DatasetError(
        path, "has no speaker '\((speakers.contains(a) ? b : a).text)'",
        cure: "name one of its speakers: \(examples) ...")
    }
    person = person.mapValues { $0 == second ? first : $0 }
  }
  let persons = Set(person.values).sorted()
  guard persons.count >= 3 else {
    throw DatasetError(
      path, "has \(persons.count) speaker(s) (\(persons.map(\.text).joined(separator: ", ")))",
      cure: "training, validation and test need one each: give every speaker a sub-folder, or "
        + "begin file names with the speaker and '-' or '_'")
  }
  var stream = RandomStream(seed: 0, purpose: .validationSplit)
  let order = stream.permutation(persons.count)
  let heldOut = max(1, (persons.count + 5) / 10)
  var parts: [ExactText: DatasetFile.Part] = [:]
  for (place, index) in order.enumerated() {
    parts[persons[index]] =
      place < heldOut ? .test : place < 2 * heldOut ? .validation : .train
  }
  return person.mapValues { parts[$0]! }
}
