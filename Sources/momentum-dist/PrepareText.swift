// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Files
import Training

extension TextLevel: ExpressibleByArgument {}

struct PrepareText: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text",
    abstract: "From texts, for a language model.",
    discussion: """
      The folder holds train.txt, valid.txt and test.txt, as Penn TreeBank usually does, or files \
      such as wiki.train.tokens, as WikiText does. A single file is split into 90 % for \
      training and 5 % each for validation and test. Texts are UTF-8, or UTF-16 with a byte order \
      mark, plain or gzipped (.gz).

      At word level, a line becomes its words, separated by spaces, and <eos>. The vocabulary \
      comes from the training part; other words become <unk>. Tokens are compared as bytes: an \
      accented letter written as one Unicode scalar differs from one written as two.
      """)

  @Option(help: ArgumentHelp("The folder of the texts, or one text.", valueName: "path"))
  var from: String

  @OptionGroup var output: OutputOption

  @Option(help: "The unit of a token: word or character.")
  var level = TextLevel.word

  @Option(
    help: ArgumentHelp(
      "Keep only this many of the most frequent tokens, including <unk>, which replaces the rest.",
      valueName: "n"))
  var maxVocabulary: Int?

  func validate() throws {
    if let maxVocabulary, maxVocabulary < 2 {
      throw ValidationError("--max-vocabulary is \(maxVocabulary); expected at least 2.")
    }
  }

  func run() throws {
    do {
      let corpus = try TextCorpus(
        TextFolder(from).files, level: level, keeping: maxVocabulary)
      try corpus.write(to: output.to, compressing: output.compress)
      for note in corpus.notes { print(note.visible) }
      print(
        "\(output.to): \(corpus.train.count) training, \(corpus.validation.count) validation and"
          + " \(corpus.test.count) test tokens, a vocabulary of \(corpus.vocabulary.count);"
          + " \(corpus.unknownCount) tokens of the last two that it lacks became <unk>")
    } catch {
      throw RunFailure(error)
    }
  }
}
