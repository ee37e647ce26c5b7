// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Files

@Suite struct TerminalTests {
  private let line =
    "epoch 1  validation loss 1.074  accuracy 37.50 %  (training loss 1.095  accuracy 40.74 %)"

  /// Figures stay whole, and what continues a line is indented.
  @Test func linesAreBrokenBetweenFigures() {
    #expect(
      Terminal.wrapped(line, columns: 60) == """
        epoch 1  validation loss 1.074  accuracy 37.50 %
          (training loss 1.095  accuracy 40.74 %)
        """)
    #expect(Terminal.wrapped(line, columns: 200) == line)
    for columns in 21...120 {
      for part in Terminal.wrapped(line, columns: columns).split(separator: "\n") {
        #expect(part.count < columns && part.last != " ", "\(columns): \(part)")
      }
      let words = Terminal.wrapped(line, columns: columns).split { $0 == " " || $0 == "\n" }
      #expect(words == line.split(separator: " "))
    }
  }

  /// A part without a gap is broken between words; a word and a command are left alone.
  @Test func wordsAndCommandsStayWhole() {
    #expect(
      Terminal.wrapped("a sentence that has no gaps at all", columns: 22)
        == "a sentence that has\n  no gaps at all")
    let word = String(repeating: "x", count: 90)
    #expect(Terminal.wrapped(word, columns: 30) == word)
    let command = "next: momentum-dist train --set dataset.task=classification --output runs/a"
    #expect(Terminal.wrapped(command, columns: 30) == command)
  }
}
