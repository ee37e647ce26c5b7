// SPDX-License-Identifier: Apache-2.0

import Datagrams
import Files
import Foundation
import MPI
import Threads

#if canImport(Glibc)
  import Glibc
#endif

/// The thread that sends heartbeats to the other ranks, receives theirs, and ends the process if it
/// has waited too long for one of them.
///
/// It uses UDP and never calls MPI, which may hang: with a lost peer or link, an MPI call does not
/// return.
final class PeerWatch: Sendable {
  /// Nil if the system refuses a socket. This rank then hears from no other, and only its own wait
  /// decides.
  private let socket: DatagramSocket?
  private let directory: PeerDirectory
  private let settings: DeadlineSettings
  /// The process that started this one, which ends all ranks of its host when one fails.
  private let launcher = getppid()

  init(socket: DatagramSocket?, directory: PeerDirectory, settings: DeadlineSettings) {
    self.socket = socket
    self.directory = directory
    self.settings = settings
  }

  func start() throws(ThreadError) {
    try NewThread.start("peer watch") { [self] in
      // Signal handlers run on the threads that do the work.
      var all = sigset_t()
      sigfillset(&all)
      pthread_sigmask(SIG_BLOCK, &all, nil)
      watch()
    }
  }

  private func watch() -> Never {
    let clock = ContinuousClock()
    var table = PeerTable(rank: directory.rank, ranks: directory.entries.count)
    var wire = Wire(directory)
    var last = clock.now
    tell(table.heartbeat(), &wire)
    while true {
      let limit = settings.seconds
      let tick = min(0.25, limit / 20)
      let next = last + .seconds(tick)
      listen(until: next, clock, &table, &wire)
      let now = clock.now
      // A tick that took much longer means that the process or the machine was stopped.
      let passed = Double((now - last) / .seconds(1))
      if passed > max(limit / 2, 4 * tick) { table.sleep(for: passed) }
      if getppid() != launcher { table.loseLauncher() }
      table.companions = settings.companions.withLock { $0 }
      table.advance(
        by: min(passed, 2 * tick), activity: settings.activity,
        wait: Waits.current,
        missing: { [directory] in
          directory.visible.contains($0) && !directory.entries[$0].process.isAlive
        })
      last = now
      tell(table.heartbeat(), &wire)
      let culprits = table.culprits(limit: limit, savingLimit: settings.savingSeconds)
      if culprits?.isEmpty != true { end(culprits, &table, &wire) }
    }
  }

  /// Receives datagrams until that time.
  private func listen(
    until end: ContinuousClock.Instant, _ clock: ContinuousClock, _ table: inout PeerTable,
    _ wire: inout Wire
  ) {
    while true {
      let left = Int(((end - clock.now) / .milliseconds(1)).rounded(.up))
      guard left > 0 else { return }
      guard let socket else { return Thread.sleep(forTimeInterval: Double(left) / 1000) }
      guard
        let (bytes, sender) = socket.receive(
          capacity: HeartbeatCoder.byteCount + 1, milliseconds: left)
      else { continue }
      guard let heartbeat = wire.coder.heartbeat(bytes), heartbeat.rank != directory.rank else {
        continue
      }
      table.hear(heartbeat)
      if directory.isAddress(sender, of: heartbeat.rank) { wire.routes[heartbeat.rank] = sender }
      if heartbeat.culprit != nil { return }
    }
  }

  /// Sends a heartbeat to every other rank: to the address that its own came from, or to all of
  /// its addresses.
  private func tell(_ heartbeat: Heartbeat, _ wire: inout Wire) {
    guard let socket else { return }
    let bytes = wire.coder.bytes(heartbeat)
    for peer in directory.entries.indices where peer != directory.rank {
      if let route = wire.routes[peer] {
        socket.send(bytes, to: route)
      } else {
        for address in directory.addresses(of: peer) { socket.send(bytes, to: address) }
      }
    }
  }

  /// Reports the reason, tells the others, and ends the process. The launcher ends ranks that
  /// cannot end themselves.
  private func end(
    _ culprits: [PeerTable.Culprit]?, _ table: inout PeerTable,
    _ wire: inout Wire
  ) -> Never {
    let text = "momentum-dist: \(table.report(culprits, hosts: directory.hosts).visible)\n"
    text.withCString { _ = write(STDERR_FILENO, $0, strlen($0)) }
    // When the first rank ends, the launcher ends the others. This gives them time to report their
    // reason.
    let clock = ContinuousClock()
    for _ in 0..<10 {
      tell(table.heartbeat(culprit: culprits?.first?.rank ?? directory.rank), &wire)
      listen(until: clock.now + .milliseconds(50), clock, &table, &wire)
    }
    if getppid() != launcher {
      // Nothing else would end a stopped process. The visible processes of this host belong to this
      // job.
      for culprit in culprits ?? [] where directory.visible.contains(culprit.rank) {
        directory.entries[culprit.rank].process.end()
      }
    }
    settings.noteLoss()
    _exit(DeadlineSettings.exitStatus)
  }

  /// The datagrams between the ranks, and the address that those of each rank come from.
  private struct Wire {
    var coder: HeartbeatCoder
    var routes: [Int: DatagramAddress] = [:]

    init(_ directory: PeerDirectory) {
      coder = HeartbeatCoder(key: directory.key, ranks: directory.entries.count)
    }
  }
}
