// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Foundation
import Training

struct PrepareSpeech: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "speech",
    abstract: "From recordings of speech, for predicting the next spectrum.",
    discussion: """
      The folder holds WAV, NIST SPHERE or FLAC files, at any depth and any sample rate. Each \
      becomes a sequence of log-magnitude spectra: 8 kHz, Hann window of 256 samples every 128, \
      129 numbers per frame, normalised by mean and deviation of the training part.

      TIMIT, as it comes (TRAIN and TEST with DR1/FCJF0/SX127.WAV), keeps its parts: TRAIN for \
      training, the 24 core speakers of TEST as the test, others of TEST for validation; the SA \
      sentences are left out. In any other folder, each sub-folder is a speaker, or, if there are \
      no sub-folders, the part of a file name before the first '-' or '_'; 80 % of the speakers \
      are for training and 10 % each for validation and test.

      Debian's packages asterisk-core-sounds-en-wav, -es-wav, -fr-wav, -it-wav and -ru-wav hold \
      2.2 h of speech by four voices, one of them in two languages, and one empty file:

        momentum-dist prepare speech --from /usr/share/asterisk/sounds \\
          --same-speaker en_US_f_Allison=es_MX_f_Allison \\
          --skip-unreadable --to data/speech.h5

      An HDF5 file with pcm, offset and speaker is read too; its speakers are called by their \
      numbers.
      """)

  @Option(help: ArgumentHelp("The folder of the recordings.", valueName: "dir"))
  var from: String

  @OptionGroup var output: OutputOption

  @Option(
    name: .customLong("same-speaker"),
    help: ArgumentHelp(
      "Two speaker names that are one person, to be kept in one part (repeatable).",
      valueName: "a=b"))
  var sameSpeaker: [String] = []

  @Flag(help: "Leave out files that cannot be read, and name them, instead of stopping.")
  var skipUnreadable = false

  func validate() throws {
    if let wrong = sameSpeaker.first(where: { pair(in: $0) == nil }) {
      throw ValidationError("--same-speaker \(wrong): expected two names, as in en_Ann=es_Ann")
    }
    func place(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }
    guard place(from) != place(output.to) else {
      throw ValidationError("--to is --from; name another file to write")
    }
  }

  func run() throws {
    do {
      let corpus = try openSpeechCorpus(from)
      let parts = try corpus.write(
        to: output.to, samePerson: sameSpeaker.compactMap(pair), skippingUnreadable: skipUnreadable,
        compressing: output.compress
      ) { report($0) }
      print(summary(of: parts))
    } catch {
      throw RunFailure(error)
    }
  }

  private func pair(in text: String) -> (String, String)? {
    let names = text.split(separator: "=", omittingEmptySubsequences: false)
    return names.count == 2 && !names.contains("") ? (String(names[0]), String(names[1])) : nil
  }

  /// Prints the progress on standard error.
  private func report(_ progress: SpeechProgress) {
    let line: String
    switch progress {
    case .done(let count, let all):
      guard count % 500 == 0, count < all else { return }
      line = "\(count) of \(all) utterances"
    case .leftOut(let error):
      line = "left out: \(error)"
    case .tooShort(let name):
      line = "left out: \(name) has fewer than two frames"
    }
    Launch.say(line)
  }

  private func summary(of parts: [DatasetFile.Part: SpeechPartSummary]) -> String {
    var lines = ["\(output.to): the mean squared error of answering each next frame with ..."]
    lines.append(row("part", "utterances", "speakers", "frames", "last frame", "its mean"))
    for name in DatasetFile.Part.allCases {
      guard let part = parts[name] else { continue }
      lines.append(
        row(
          name.rawValue, "\(part.utterances)", "\(part.speakers)", "\(part.frames)",
          String(format: "%.4f", part.persistenceError),
          String(format: "%.4f", part.utteranceMeanError)))
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ columns: String...) -> String {
    columns.map { String(repeating: " ", count: max(0, 11 - $0.count)) + $0 }.joined()
  }
}
