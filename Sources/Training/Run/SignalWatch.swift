// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The request of a signal. Larger values are more urgent, so that ranks agree by a maximum.
public enum SignalRequest: Int, Comparable {
  /// No signal has come.
  case none = 0
  /// SIGUSR1: save and continue.
  case save = 1
  /// SIGTERM, SIGUSR2, SIGHUP or SIGINT: save and end with `ExitStatus.preempted`.
  case saveAndStop = 2

  public static func < (a: SignalRequest, b: SignalRequest) -> Bool { a.rawValue < b.rawValue }
}

/// Set by handlers, read at step boundaries. A handler does nothing else: no allocation, no MPI.
private let pending = Atomic<Int>(SignalRequest.none.rawValue)
private let interrupts = Atomic<Int>(0)

/// Turns signals into requests that the trainer looks at between steps.
public enum SignalWatch {
  /// Installs the handlers. A run does this first, so that a signal during its start is not lost.
  public static func start() {
    _ = pending.load(ordering: .relaxed)  // initialise the globals outside any handler
    _ = interrupts.load(ordering: .relaxed)
    signal(SIGUSR1) { _ in
      pending.max(SignalRequest.save.rawValue, ordering: .relaxed)
    }
    for number in [SIGTERM, SIGUSR2] { stopAndSave(at: number) }
    // SIGHUP means a closed terminal; if `nohup` made it ignored, it stays so.
    if !isIgnored(SIGHUP) { stopAndSave(at: SIGHUP) }
    signal(SIGINT) { _ in
      pending.max(SignalRequest.saveAndStop.rawValue, ordering: .relaxed)
      if interrupts.add(1, ordering: .relaxed).newValue > 1 { _exit(128 + SIGINT) }
    }
  }

  /// Whether this process was started with the signal ignored, or handles it already.
  public static func isIgnored(_ number: Int32) -> Bool {
    var before = sigaction()
    _ = unsafe sigaction(number, nil, &before)
    return unsafe before.__sigaction_handler.sa_handler != nil
  }

  private static func stopAndSave(at number: Int32) {
    signal(number) { _ in
      pending.max(SignalRequest.saveAndStop.rawValue, ordering: .relaxed)
    }
  }

  /// The most urgent request since the last call.
  static func take() -> SignalRequest {
    SignalRequest(rawValue: pending.exchange(0, ordering: .relaxed)) ?? .none
  }
}
