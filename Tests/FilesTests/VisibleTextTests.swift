// SPDX-License-Identifier: Apache-2.0

import Files
import Testing

/// Text from foreign files, printed on a terminal.
@Suite struct VisibleTextTests {
  @Test func whatATerminalObeysIsShown() {
    #expect("a\u{1b}[2Jb".visible == #"a\u{1b}[2Jb"#)
    #expect("a\nb\rc\td\u{7f}".visible == #"a\nb\rc\td\u{7f}"#)
    // CSI and OSC as single characters of the second set of controls.
    #expect("\u{9b}31m\u{9d}".visible == #"\u{9b}31m\u{9d}"#)
  }

  @Test func whatHidesOrTurnsIsShown() {
    #expect("x\u{202e}y\u{2066}z\u{200f}".visible == #"x\u{202e}y\u{2066}z\u{200f}"#)
    #expect(
      "a\u{200b}\u{feff}\u{ad}\u{2028}\u{e0041}".visible
        == #"a\u{200b}\u{feff}\u{ad}\u{2028}\u{e0041}"#)
  }

  @Test func textOfAnyLanguageStays() {
    for text in ["", "plain", "naïve", "数据", "می‌خواهم", "👩‍🔬", #"C:\new"#, "a\u{301}"] {
      #expect(text.visible == text)
    }
  }
}
