// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation
import Gzip
import Testing

@testable import Training

@Suite struct RunFailureTests {
  /// An error that no part of the program knows.
  private struct Injected: Error, CustomStringConvertible {
    let description = "the sum is\nnegative"
  }

  @Test func anUnknownErrorIsAFaultOfTheProgram() {
    let failure = RunFailure(Injected())
    #expect(failure.status == .internalError && failure.status.rawValue == 71)
    #expect(
      failure.message
        == "internal error: the sum is negative; this is a fault of the program: please report this"
        + " line with the command and its configuration")
  }

  @Test func fileProblemsHaveAStatusOfTheirKind() {
    let data: [any Error] = [
      GzipError.truncated(path: "a.gz"), CheckpointError("a", "is old", cure: "use another"),
    ]
    #expect(data.map { RunFailure($0).status } == [.unusableData, .unusableData])
    #expect(
      data.map { RunFailure($0).message } == [
        "a.gz: the gzip data ends too early; download or copy it again", "a: is old; use another",
      ])
    let disk: [any Error] = [
      FileError("open", "a", code: ENOSPC),
      CheckpointError("a", "is full", cure: "make room", isDiskFailure: true),
    ]
    #expect(disk.map { RunFailure($0).status } == [.diskFailure, .diskFailure])
    #expect(
      RunFailure(disk[0]).message
        == "a: cannot open: No space left on device; check that the folder exists, is writable and"
        + " has room")
  }

  @Test func aFailureKeepsItselfOnItsWayBetweenRanks() throws {
    let failure = RunFailure(.peerLost, "a \u{0} b\n \"c\" é")
    let bytes = try JSONEncoder().encode([failure])
    let back = try JSONDecoder().decode([RunFailure].self, from: bytes)[0]
    #expect(back.status == failure.status && back.message == failure.message)
  }
}
