// SPDX-License-Identifier: Apache-2.0

import Datagrams
import Files
import Foundation
import MPI
import Synchronization
import Threads

#if canImport(Glibc)
  import Glibc
#endif

/// The promise that a rank never waits forever for another.
///
///     try Deadline.start(on: communicator)
///     Deadline.seconds = 60
///     Deadline.enter(.readingData)
///
/// A rank that has waited in one MPI call for longer than the limit reports what it waits for and
/// who is missing, and exits with status 76. It tells the other ranks, which do the same. It does
/// not call MPI, which may hang. Heartbeats outside MPI show who is missing: a peer that is silent,
/// one that answers but is stuck in its own work, or one whose process is gone.
///
/// A process has one deadline, because it has one MPI.
public enum Deadline {
  /// Starts the watch over the ranks of a communicator. Every rank calls this, once.
  ///
  /// - Throws: `MPIError`; `ThreadError` on every rank if the system refuses any rank the thread
  public static func start(on communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let (directory, socket) = try PeerDirectory.agree(communicator)
    if socket == nil { warn(directory) }
    var refusal: ThreadError?
    let watch = PeerWatch(socket: socket, directory: directory, settings: settings)
    do throws(ThreadError) { try watch.start() } catch { refusal = error }
    let code = try communicator.allreduce(Int(refusal?.code ?? 0), .maximum)
    if code != 0 { throw ThreadError(code: Int32(code)) }
  }

  /// Warns that this rank has no socket. The others then receive nothing from it, and may blame it
  /// when they wait. It receives nothing from them, so only the limit of its own wait ends it.
  private static func warn(_ directory: PeerDirectory) {
    let text =
      "warning: rank \(directory.rank) on \(directory.hosts[directory.rank].visible) has no UDP socket"
      + " for its heartbeats: if another rank is lost, this one may be blamed instead\n"
    text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
  }

  /// A file that this process makes when it ends because a peer was lost, for the script that
  /// started the run; nil makes no file.
  public static var lossNote: String? {
    get { settings.lossNote.withLock { $0 } }
    set { settings.lossNote.withLock { $0 = newValue } }
  }

  /// Creates the empty file `lossNote` if the process is about to end because a peer was lost. If
  /// the disk hangs, the process ends after two seconds.
  public static func noteLoss() { settings.noteLoss() }

  /// The limit of a wait. The default is 120 s.
  public static var seconds: Double {
    get { settings.seconds }
    set { settings.seconds = newValue }
  }

  /// How long a peer may be busy saving while others wait for it. The default is 1800 s. A slow
  /// disk is not a lost peer, so this is longer than `seconds`; the longer of the two counts.
  public static var savingSeconds: Double {
    get { settings.savingSeconds }
    set { settings.savingSeconds = newValue }
  }

  /// The ranks that this one trains with; nil means all. Delays of other ranks are ignored, but a
  /// lost process still ends the job.
  public static var companions: Range<Int>? {
    get { settings.companions.withLock { $0 } }
    set { settings.companions.withLock { $0 = newValue } }
  }

  /// Sets what this rank is doing from here on.
  public static func enter(_ phase: Phase) {
    settings.activity = Activity(phase, step: settings.activity.step)
  }

  /// Runs `body` as a phase, and then returns to the phase before.
  public static func during<Result, Failure: Error>(
    _ phase: Phase, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = settings.activity.phase
    enter(phase)
    defer { enter(before) }
    return try body()
  }

  /// Sets the optimizer step of this rank.
  public static func reach(step: Int) {
    settings.activity = Activity(settings.activity.phase, step: step)
  }

  /// Ends the process with status 76 after this many seconds, regardless of what it is doing.
  public static func end(within seconds: Double) {
    do {
      try NewThread.start("end") {
        Thread.sleep(forTimeInterval: seconds)
        _exit(DeadlineSettings.exitStatus)
      }
    } catch {
      _exit(DeadlineSettings.exitStatus)
    }
  }

  private static let settings = DeadlineSettings()
}

/// The state that the working thread shares with the watching thread.
final class DeadlineSettings: Sendable {
  /// `ExitStatus.peerLost` of the program.
  static let exitStatus: Int32 = 76

  private let limit = Atomic<UInt64>((120.0).bitPattern)
  private let savingLimit = Atomic<UInt64>((1800.0).bitPattern)
  let lossNote = Mutex<String?>(nil)
  let companions = Mutex<Range<Int>?>(nil)
  private let packed = Atomic<UInt64>(Activity(.starting, step: 0).packed)

  func noteLoss() {
    guard let path = lossNote.withLock({ $0 }) else { return }
    Deadline.end(within: 2)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
    if descriptor >= 0 { _ = close(descriptor) }
  }

  var seconds: Double {
    get { Double(bitPattern: limit.load(ordering: .relaxed)) }
    set { limit.store(newValue.bitPattern, ordering: .relaxed) }
  }

  var savingSeconds: Double {
    get { Double(bitPattern: savingLimit.load(ordering: .relaxed)) }
    set { savingLimit.store(newValue.bitPattern, ordering: .relaxed) }
  }

  var activity: Activity {
    get { Activity(packed: packed.load(ordering: .relaxed)) }
    set { packed.store(newValue.packed, ordering: .relaxed) }
  }
}
