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
    let command = "momentum-dist train --set dataset.task=classification --output runs/a"
    #expect(Terminal.wrapped("next: \(command)", columns: 30) == "next:\n  \(command)")
    #expect(Terminal.wrapped(command, columns: 30) == command)
    let parallel = "mpirun -np 2 \(command)"
    #expect(Terminal.wrapped("or type \(parallel)", columns: 30) == "or type\n  \(parallel)")
  }

  /// The last line of a training: the command to type next is unbroken.
  @Test func theLineThatEndsATrainingFits() {
    let line =
      "finished in 9 min 55 s; validation was best at step 162; test it: momentum-dist evaluate"
      + " runs/sun"
    #expect(
      Terminal.wrapped(line, columns: 80) == """
        finished in 9 min 55 s; validation was best at step 162; test it:
          momentum-dist evaluate runs/sun
        """)
    #expect(
      Terminal.wrapped(line, columns: 60) == """
        finished in 9 min 55 s; validation was best at step 162;
          test it: momentum-dist evaluate runs/sun
        """)
    #expect(Terminal.wrapped(line, columns: 140) == line)
  }

  @Test func eachOfTwoCommandsStaysWhole() {
    #expect(
      Terminal.wrapped(
        "best: trial-002; test it: momentum-dist evaluate runs/sweep/trial-002; compare:"
          + " momentum-dist report runs/sweep", columns: 60) == """
          best: trial-002; test it:
            momentum-dist evaluate runs/sweep/trial-002; compare:
            momentum-dist report runs/sweep
          """)
  }

  /// Text goes on after a command between backticks.
  @Test func commandsBetweenBackticksStayWhole() {
    #expect(
      Terminal.wrapped(
        "note: nothing was made; type `momentum-dist prepare csv --from a.csv`, or `ls a`, to see it",
        columns: 46) == """
          note: nothing was made; type
            `momentum-dist prepare csv --from a.csv`,
            or `ls a`, to see it
          """)
  }
}
