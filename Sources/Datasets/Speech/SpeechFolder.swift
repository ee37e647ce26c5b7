// SPDX-License-Identifier: Apache-2.0

import Audio
import Foundation

/// A folder of WAV, NIST SPHERE or FLAC files.
///
/// If it has TIMIT's layout, TIMIT's own parts are used (see `TIMITUtterance`). Otherwise each
/// sub-folder of the first level is a speaker. A file outside of any sub-folder names its speaker
/// before the first '-' or '_' of its name.
public struct SpeechFolder: SpeechCorpus {
  public let path: String
  public let utterances: [Utterance]
  /// Whether the files have TIMIT's layout.
  public let isTIMIT: Bool
  private let files: [String]

  /// The endings of sound files, in any letter case.
  public static let endings: Set<String> = ["wav", "sph", "nist", "flac"]

  /// - Parameters:
  ///   - path: the path of the folder
  ///   - knowingParts: whether files in TIMIT's layout get TIMIT's parts, which leaves out some
  ///     files
  public init(_ path: String, knowingParts: Bool = true) throws(DatasetError) {
    self.path = path
    let found = try soundFiles(in: path)
    guard !found.isEmpty else {
      throw DatasetError(
        path, "holds no sound file", cure: "name a folder of .wav, .sph or .flac files with --from")
    }
    let timit = knowingParts ? TIMITUtterance.find(in: found) : []
    isTIMIT = !timit.isEmpty
    files = isTIMIT ? timit.map(\.file) : found
    utterances =
      isTIMIT
      ? timit.map { Utterance(name: $0.name, speaker: $0.speaker, part: $0.part) }
      : found.map { Utterance(name: $0, speaker: Self.speaker(of: $0)) }
  }

  public func samples(of index: Int) throws(DatasetError) -> [Float] {
    do {
      return try AudioFile(contentsOf: "\(path)/\(files[index])")
        .resampled(to: Spectrogram.sampleRate).samples
    } catch {
      throw DatasetError(error)
    }
  }

  private static func speaker(of file: String) -> String {
    let places = file.split(separator: "/")
    if places.count > 1 { return String(places[0]) }
    let stem = (file as NSString).deletingPathExtension
    return String(stem.prefix { $0 != "-" && $0 != "_" })
  }
}

/// The sound files of a folder and of the folders below it, by their paths from it, in order.
///
/// Links are followed, each folder is entered once, and hidden files are left out.
private func soundFiles(in folder: String) throws(DatasetError) -> [String] {
  var entered: Set<ExactText> = []
  var files: [String] = []
  var waiting = [""]
  while let inner = waiting.popLast() {
    let path = inner.isEmpty ? folder : "\(folder)/\(inner)"
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard entered.insert(ExactText(place)).inserted else { continue }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw DatasetError(path, "cannot be listed", cure: "check its permissions")
    }
    for name in names where !name.hasPrefix(".") {
      let file = inner.isEmpty ? name : "\(inner)/\(name)"
      if isFolder("\(folder)/\(file)") {
        waiting.append(file)
      } else if SpeechFolder.endings.contains((name as NSString).pathExtension.lowercased()) {
        files.append(file)
      }
    }
  }
  return files.map { ExactText($0) }.sorted().map(\.text)
}
