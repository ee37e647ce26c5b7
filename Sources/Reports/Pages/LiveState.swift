// SPDX-License-Identifier: Apache-2.0

/// The progress of a run, for a page that a browser reloads.
public struct LiveState {
  /// The lines of `RunWatch.text`.
  public let text: String
  /// Seconds between loads; nil if the run is over.
  public let seconds: Double?

  public init(_ text: String, every seconds: Double?) {
    (self.text, self.seconds) = (text, seconds)
  }

  /// The element that makes a browser load the page again, without a script.
  var refresh: String {
    seconds.map { "\n<meta http-equiv=\"refresh\" content=\"\(max(1, Int($0.rounded(.up))))\">" }
      ?? ""
  }

  var html: String {
    let lines = text.split(separator: "\n").map { line in
      let shown = escapeHTML(String(line))
      return line.hasSuffix(RunWatch.slowestMark) ? "<strong>\(shown)</strong>" : shown
    }
    return "<pre class=\"live\">\(lines.joined(separator: "\n"))</pre>"
  }
}
