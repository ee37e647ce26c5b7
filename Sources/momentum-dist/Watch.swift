// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Files
import Foundation
import Reports
import Training

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the progress of a run: step, loss, speed, checkpoint, ranks.",
    discussion: """
      Reads the run's folder, from any machine that sees it, and changes nothing there. In a \
      terminal the lines are updated until the run ends; then it exits with status 0. Ctrl-C ends \
      it earlier. Elsewhere the lines are printed once. For several seeds and for a sweep it shows \
      the run that changed last. If a run was killed, only the age of its last line shows that.

      With --port it serves the page of `report` with these lines to a browser on this machine, \
      which reloads it automatically, until Ctrl-C. To see it from another machine: ssh -L \
      8080:localhost:8080.

      momentum-dist watch runs/pixels
      momentum-dist watch runs/pixels --port 8080
      """)

  @Argument(help: "The folder of the run.")
  var folder: String

  @Flag(help: "Print the lines once, even in a terminal.")
  var once = false

  @Option(help: ArgumentHelp("Seconds between updates.", valueName: "seconds"))
  var every = 2.0

  @Option(
    help: ArgumentHelp(
      "Serve the run's report at http://127.0.0.1:PORT; 0 takes any free port.", valueName: "port"))
  var port: Int?

  @Option(
    help: ArgumentHelp(
      "The most ranks to show; if there are more, the slowest are shown.", valueName: "n"))
  var ranks = 8

  func validate() throws {
    guard every.isFinite, (0.1...3600).contains(every) else {
      throw ValidationError("--every is \(every); expected seconds from 0.1 to 3600.")
    }
    guard ranks >= 0 else {
      throw ValidationError("--ranks is \(ranks); expected a number that is not negative.")
    }
    if let port, !(0...65535).contains(port) {
      throw ValidationError("--port is \(port); expected a number from 0 to 65535.")
    }
    if port != nil, once {
      throw ValidationError("--once prints and ends, --port serves; leave out one.")
    }
  }

  func run() throws {
    if let port { return try serve(on: UInt16(port)) }
    let isLive = !once && isatty(STDOUT_FILENO) == 1
    var drawn = 0
    while true {
      let (now, isOver) = try look()
      let text = now.text(at: Date(), ranks: ranks)
      guard isLive else { return print(text) }
      drawn = draw(text, over: drawn)
      if isOver { return }
      Thread.sleep(forTimeInterval: every)
    }
  }

  /// The run now, and whether it is over.
  func look() throws -> (now: RunWatch, isOver: Bool) {
    do {
      let sweep = SweepRecord(at: folder)
      let runs = SeedSeries.folders(in: folder) + (sweep?.startedFolders(in: folder) ?? [])
      guard let last = RunList.lastChanged(of: runs) else {
        let now = try RunWatch(folder)
        return (now, now.ending != nil)
      }
      let now = try RunWatch(last)
      // The next run of a series may be about to start.
      let isComplete =
        sweep.map { sweep in !sweep.trials.contains { $0.state == .waiting } }
        ?? (SeedSummary(contentsOf: SeedSeries.summaryPath(folder)) != nil)
      return (now, isComplete || now.ending?.hasPrefix("stopped by a signal") == true)
    } catch {
      throw RunFailure(error)
    }
  }

  /// Draws lines over those of the last drawing, cut to the terminal's width.
  ///
  /// - Returns: how many lines there are now
  private func draw(_ text: String, over drawn: Int) -> Int {
    let room = max(Terminal.columns(of: STDOUT_FILENO) - 1, 1)
    let lines = shown(text).split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.count > room ? "\($0.prefix(max(room - 1, 0)))…" : String($0)
    }
    let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
    let block = lines.map { "\r\u{1B}[K\($0)\n" }.joined()
    // Erases the rest of a longer earlier block.
    Swift.print(up + block + "\u{1B}[J", terminator: "")
    fflush(nil)
    return lines.count
  }
}
