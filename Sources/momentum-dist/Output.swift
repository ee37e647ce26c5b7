// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// Prints to standard output, instead of Swift's own `print`. Control characters are shown as
/// escapes, because the output has names and texts from files. Line ends and tabs are unchanged.
func print(_ text: String, terminator: String = "\n") {
  Swift.print(shown(text), terminator: terminator)
}

/// Prints a line of figures, broken to fit the width of a terminal. A line end in it can only be
/// part of a name from a file, and is shown as an escape.
func printFitted(_ line: String) {
  let line = line.visible
  let columns = Terminal.columnsIfTerminal(STDOUT_FILENO)
  print(columns.map { Terminal.wrapped(line, columns: $0) } ?? line)
}

/// The text with control characters escaped. In JSON the escapes are those of JSON.
func shown(_ text: String) -> String {
  func isShown(_ scalar: Unicode.Scalar) -> Bool {
    !scalar.isHiddenOrActive || scalar == "\n" || scalar == "\t"
  }
  guard !text.unicodeScalars.allSatisfy(isShown) else { return text }
  let isJSON = text.first == "{" || text.first == "["
  var result = ""
  for scalar in text.unicodeScalars {
    if isShown(scalar) {
      result.unicodeScalars.append(scalar)
    } else if isJSON {
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    } else {
      result += String(scalar).visible
    }
  }
  return result
}
