// SPDX-License-Identifier: Apache-2.0

import Foundation
import Models
import Testing

@testable import Training

@Suite struct TerminalLineTests {
  private let content = TerminalLine.Content(
    text: "step 1250/15700  epoch 3  loss 0.1677  accuracy 91.25 %  12345 seq/s", fraction: 0.08,
    remaining: 3725)

  /// The visible text of a line on a terminal, without its colours.
  private func visible(_ line: String) -> String {
    line.replacingOccurrences(of: "\u{1B}[32m", with: "").replacingOccurrences(
      of: "\u{1B}[0m", with: "")
  }

  /// The last column stays empty: a character there may start a new line.
  @Test func everyTerminalIsWideEnough() {
    for columns in 0...200 {
      for waited in [nil, 12.0, 4000] {
        for usesColor in [false, true] {
          let line = visible(
            TerminalLine.line(content, waited: waited, columns: columns, usesColor: usesColor))
          #expect(line.count <= max(columns - 1, 0), "\(columns): \(line)")
        }
      }
    }
  }

  @Test func whatGivesWayFirst() {
    func line(_ columns: Int) -> String {
      TerminalLine.line(content, waited: nil, columns: columns, usesColor: false)
    }
    let text = content.text + "  eta 1 h 02 min"
    #expect(line(200) == "━━" + String(repeating: "─", count: 22) + " " + text)
    #expect(line(100).hasSuffix(" " + text) && line(100).count == 99, "a shorter bar")
    #expect(line(85) == text, "no bar")
    #expect(line(60) == "step 1250/15700  epoch 3  loss 0.1677  acc…  eta 1 h 02 min")
    #expect(line(20) == "step 1250/15700  ep")
  }

  @Test func aLongStepShowsHowOldTheNumbersAre() {
    let line = TerminalLine.line(content, waited: 65, columns: 120, usesColor: false)
    #expect(line.hasSuffix("  eta 1 h 02 min  (1 min 05 s ago)"), "\(line)")
  }

  @Test func aShareThatIsNoneDrawsNoBar() {
    for fraction in [Double.nan, -1, 2] {
      let odd = TerminalLine.Content(text: "step", fraction: fraction, remaining: 0)
      let line = TerminalLine.line(odd, waited: nil, columns: 80, usesColor: false)
      #expect(line.count == 24 + 1 + "step  eta 0 s".count, "\(line)")
    }
  }
}

@Suite struct StepClockTests {
  /// Speed is the count divided by its time; excluded steps are excluded from both.
  @Test func whatIsLeftOutTakesNoTime() {
    let start = ContinuousClock.now
    var clock = StepClock()
    clock.count(Totals(loss: 0, elements: 3, sequences: 3))
    let (mark, before) = (clock.mark, clock.elapsed)
    clock.measure(.data) { Thread.sleep(forTimeInterval: 0.2) }
    #expect(clock.elapsed >= before + 0.2)
    #expect(clock.shares.first { $0.0 == .data }!.1 > 0)
    clock.leaveOut(since: mark)
    #expect(clock.elapsed <= (ContinuousClock.now - start).seconds - 0.2)
    #expect(clock.shares.first { $0.0 == .data }!.1 == 0)
    clock.measure(.compute) { Thread.sleep(forTimeInterval: 0.05) }
    clock.count(Totals(loss: 0, elements: 1, sequences: 1))
    #expect(clock.done.sequences == 4 && clock.elapsed >= 0.05)
    #expect(clock.shares.reduce(0) { $0 + $1.1 } <= 1)
    clock.restart()
    #expect(clock.done.sequences == 0)
  }
}
