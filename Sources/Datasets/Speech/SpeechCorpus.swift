// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Recorded utterances and their speakers.
public protocol SpeechCorpus {
  /// The folder or file, for messages.
  var path: String { get }
  /// In a fixed order.
  var utterances: [Utterance] { get }

  /// Reads one utterance, at 8 kHz.
  func samples(of index: Int) throws(DatasetError) -> [Float]
}

/// One utterance of a corpus.
public struct Utterance: Hashable, Sendable {
  /// The name in the corpus.
  public let name: String
  /// The name of the speaker, by which a corpus without parts is split.
  public let speaker: String
  /// The part that the corpus itself gives it; nil leaves the choice to the split by speaker.
  public let part: DatasetFile.Part?

  init(name: String, speaker: String, part: DatasetFile.Part? = nil) {
    // Lists of names are stored as lines.
    self.name = name.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.speaker = speaker.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.part = part
  }
}

/// Opens what `path` names: a folder of sound files, or an HDF5 file with all samples in it.
public func openSpeechCorpus(_ path: String) throws(DatasetError) -> any SpeechCorpus {
  guard FileManager.default.fileExists(atPath: path) else {
    throw DatasetError(path, "no such folder or file", cure: "check --from")
  }
  if isFolder(path) { return try SpeechFolder(path) }
  return try SpeechArchive(path)
}

/// Whether a path leads to a folder, directly or through links.
func isFolder(_ path: String) -> Bool {
  let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  let attributes = try? FileManager.default.attributesOfItem(atPath: place)
  return attributes?[.type] as? FileAttributeType == .typeDirectory
}

extension SpeechCorpus {
  /// The part of each utterance: from the corpus, or else by speaker.
  ///
  /// - Parameter samePerson: pairs of speaker names that belong to one person
  public func parts(
    samePerson: [(String, String)] = []
  ) throws(DatasetError) -> [DatasetFile.Part] {
    let free = utterances.filter { $0.part == nil }.map { ExactText($0.speaker) }
    let split =
      free.isEmpty
      ? [:] : try splitBySpeaker(Set(free), samePerson: samePerson, path: path)
    let parts = utterances.map { $0.part ?? split[ExactText($0.speaker)]! }
    for part in DatasetFile.Part.allCases where !parts.contains(part) {
      throw DatasetError(
        path, "has no utterance for the part \(part.rawValue)",
        cure: "TIMIT needs TRAIN, and in TEST both core test speakers and others")
    }
    return parts
  }
}
