// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// The terminal that a stream of this process writes to.
public enum Terminal {
  /// The number of columns of a descriptor's terminal: from the terminal, or else the environment
  /// variable COLUMNS, or else 80.
  ///
  /// The corresponding C function is `ioctl`, with `TIOCGWINSZ`.
  public static func columns(of descriptor: Int32) -> Int {
    if let columns = columnsIfTerminal(descriptor) { return columns }
    if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 {
      return columns
    }
    return 80
  }

  /// The number of columns of a descriptor's terminal; nil if it is a pipe or a file, or a terminal
  /// without a size, such as the one that mpirun makes for a rank.
  public static func columnsIfTerminal(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// A line broken for a terminal with this number of columns, with continuation lines indented: between
  /// figures if that is possible, or else between words.
  ///
  /// A command stays whole, on its own line if necessary: if it is longer, the terminal wraps it so
  /// that it can still be copied.
  public static func wrapped(_ line: String, columns: Int) -> String {
    let room = max(columns - 1, 20)
    guard line.count > room else { return line }
    var lines: [String] = []
    var current = ""
    func place(_ part: Substring) {
      let indent = lines.isEmpty ? "" : "  "
      let isFirst = current.allSatisfy { $0 == " " }
      // What separates parts may stand beyond the end.
      let width = (current + part).reversed().drop { $0 == " " }.count
      if isFirst || width <= room {
        current = isFirst ? indent + part.drop { $0 == " " && !lines.isEmpty } : current + part
      } else {
        lines.append(current)
        current = "  " + part.drop { $0 == " " }
      }
    }
    for (text, isCommand) in commands(in: line) {
      if isCommand {
        place(text)
        continue
      }
      for part in parts(of: String(text), after: ["  ", "; ", ", "]) {
        let isLong = part.count > room - 2
        for piece in isLong ? parts(of: String(part), after: [" "]) : [part] { place(piece) }
      }
    }
    return (lines + [current]).map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// The line in pieces, and whether each is a command: one between backticks with what follows up
  /// to a space, or else from the program's name, or that of mpirun, to a semicolon or the end.
  private static func commands(in line: String) -> [(text: Substring, isCommand: Bool)] {
    var pieces: [(text: Substring, isCommand: Bool)] = []
    var start = line.startIndex
    let command = /`[^`]+`[^ ]* *|(mpirun [^;`]*)?momentum-dist [a-z]([^;]|;[^ ])*(; *)?/
    for match in line.matches(of: command) {
      if start < match.range.lowerBound {
        pieces.append((line[start..<match.range.lowerBound], false))
      }
      pieces.append((line[match.range], true))
      start = match.range.upperBound
    }
    return pieces + (start < line.endIndex ? [(line[start...], false)] : [])
  }

  /// The parts of a text, each up to and with one of the separators.
  private static func parts(of text: String, after separators: [String]) -> [Substring] {
    var parts: [Substring] = []
    var (start, place) = (text.startIndex, text.startIndex)
    while place < text.endIndex {
      if let end = separators.first(where: text[place...].hasPrefix) {
        place = text.index(place, offsetBy: end.count)
        while place < text.endIndex, text[place] == " " { place = text.index(after: place) }
        parts.append(text[start..<place])
        start = place
      } else {
        place = text.index(after: place)
      }
    }
    return parts + (start < text.endIndex ? [text[start...]] : [])
  }
}
