// SPDX-License-Identifier: Apache-2.0

import Training

/// The arguments of the command line as the system gave them.
enum ArgumentText {
  /// Ends the process with the status of a wrong command line if an argument is not UTF-8.
  ///
  /// The system allows any bytes in a name. Swift replaces those that are not UTF-8 with U+FFFD, and
  /// the name of another file results.
  static func refuseOtherBytes() {
    let raw = CommandLine.unsafeArgv
    for (number, text) in CommandLine.arguments.enumerated().dropFirst() {
      guard let bytes = raw[number], String(validatingCString: bytes) == nil else { continue }
      if Launch.isFirstRank {
        Launch.say(
          "momentum-dist: argument \(number), \(text), is not UTF-8; rename that file or folder")
      }
      Launch.endTogether(ExitStatus.usage.rawValue)
    }
  }
}
