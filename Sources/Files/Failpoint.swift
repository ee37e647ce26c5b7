// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation
import Synchronization

/// A named point of the program at which a test can make it fail.
///
/// The environment variable `MOMENTUM_DIST_FAILPOINTS` sets what happens at which point:
///
///     MOMENTUM_DIST_FAILPOINTS=checkpoint.rename=kill#2
///     MOMENTUM_DIST_FAILPOINTS=checkpoint.shard.sync=nospace@1,checkpoint.begin=delay:0.5
///
/// Each entry is `name=action[@rank][#count]`. The actions are `kill` (SIGKILL to itself), `usr1` and
/// `usr2` (that signal to itself), `fail` (an input/output error), `nospace` (a full disk),
/// `readonly` (a read-only file system), `quota` (a quota that is used up) and `delay:SECONDS`.
/// `@rank` limits it to one rank (by `OMPI_COMM_WORLD_RANK`, 0 without it), `#count` to one passage,
/// counted from 1 in each process. If the variable cannot be parsed, the first point fails and says
/// so. Without the variable a point costs one comparison.
public enum Failpoint: String, CaseIterable, Sendable {
  /// The temporary folder of a checkpoint has been made (rank 0).
  case checkpointBegin = "checkpoint.begin"
  /// A shard file has been created.
  case checkpointShardCreate = "checkpoint.shard.create"
  /// Some of its tensors are written.
  case checkpointShardWrite = "checkpoint.shard.write"
  /// All are written, and the file is about to be closed.
  case checkpointShardClose = "checkpoint.shard.close"
  /// It is closed, but not yet synchronized.
  case checkpointShardSync = "checkpoint.shard.sync"
  /// The view has been created, and is empty (rank 0, as all below).
  case checkpointView = "checkpoint.view"
  /// Everything is written except the manifest.
  case checkpointManifest = "checkpoint.manifest"
  /// The checkpoint is complete, but does not have its name yet; the one it replaces has lost its
  /// name.
  case checkpointRename = "checkpoint.rename"
  /// The checkpoint has its name, but `latest` points to the one before.
  case checkpointLatest = "checkpoint.latest"
  /// An old checkpoint has lost its name, and is about to be removed.
  case checkpointPrune = "checkpoint.prune"
  /// The training data are about to be opened.
  case startData = "start.data"
  /// A thread is about to read the data that will be needed next (streamed data).
  case dataPrefetch = "data.prefetch"
  /// A batch is about to be read, for training or evaluation.
  case dataRead = "data.read"
  /// A training step is about to be taken.
  case trainStep = "train.step"
  /// A batch of an evaluation is about to be computed.
  case evaluateBatch = "evaluate.batch"
  /// All predictions are written, and the file does not have its name yet (rank 0).
  case predictFinish = "predict.finish"

  /// Performs the action that the environment sets for this point.
  ///
  /// - Parameter path: the current file, which the error names
  public func pass(_ path: String) throws(FileError) {
    guard let plan = FailpointPlan.ofEnvironment else { return }
    try plan.pass(self, path)
  }
}

/// The actions of a process's failpoints.
struct FailpointPlan: Sendable {
  enum Action: Equatable, Sendable {
    case kill
    case signal(Int32)
    case fail(Int32)
    case delay(Double)
  }

  struct Entry: Equatable, Sendable {
    var point: Failpoint
    var action: Action
    var rank: Int?
    var count: Int?

    /// Reads `name=action[@rank][#count]`.
    init?(_ text: Substring) {
      guard let equals = text.firstIndex(of: "="),
        let point = Failpoint(rawValue: String(text[..<equals]))
      else { return nil }
      self.point = point
      var rest = text[text.index(after: equals)...]
      func number(after mark: Character) -> Int?? {
        guard let index = rest.lastIndex(of: mark) else { return .some(nil) }
        guard let value = Int(rest[rest.index(after: index)...]), value >= 0 else { return nil }
        rest = rest[..<index]
        return .some(value)
      }
      guard let count = number(after: "#"), let rank = number(after: "@"), count != 0 else {
        return nil
      }
      (self.count, self.rank) = (count, rank)
      switch rest {
      case "kill": action = .kill
      case "usr1": action = .signal(SIGUSR1)
      case "usr2": action = .signal(SIGUSR2)
      case "fail": action = .fail(EIO)
      case "nospace": action = .fail(ENOSPC)
      case "readonly": action = .fail(EROFS)
      case "quota": action = .fail(EDQUOT)
      default:
        guard rest.hasPrefix("delay:"), let seconds = Double(rest.dropFirst(6)),
          seconds >= 0, seconds.isFinite
        else { return nil }
        action = .delay(seconds)
      }
    }
  }

  static let variable = "MOMENTUM_DIST_FAILPOINTS"

  /// The plan of this process; nil without the variable.
  static let ofEnvironment: FailpointPlan? = {
    let environment = ProcessInfo.processInfo.environment
    guard let text = environment[variable], !text.isEmpty else { return nil }
    return FailpointPlan(text, rank: Int(environment["OMPI_COMM_WORLD_RANK"] ?? "") ?? 0)
  }()

  /// Nil if the text cannot be parsed.
  let entries: [Entry]?
  private let rank: Int
  private let passages = Passages()

  init(_ text: String, rank: Int) {
    let parts = text.split(separator: ",")
    let entries = parts.compactMap { Entry($0) }
    self.entries = entries.count == parts.count ? entries : nil
    self.rank = rank
  }

  func pass(_ point: Failpoint, _ path: String) throws(FileError) {
    guard let entries else { throw FileError("understand its value", Self.variable, code: EINVAL) }
    let passage = passages.count(point)
    for entry in entries
    where entry.point == point && (entry.rank ?? rank) == rank
      && (entry.count ?? passage) == passage
    {
      switch entry.action {
      case .kill:
        _ = kill(getpid(), SIGKILL)
        // The signal may reach another thread first: nothing must happen until then.
        while true { _ = pause() }
      case .signal(let signal): _ = kill(getpid(), signal)
      case .fail(let code): throw FileError("pass \(point.rawValue)", path, code: code)
      case .delay(let seconds):
        // Tells a test where the process is.
        try? FileHandle.standardError.write(
          contentsOf: Data("failpoint \(point.rawValue) holds rank \(rank)\n".utf8))
        Thread.sleep(forTimeInterval: seconds)
      }
    }
  }

  /// How often each point was passed.
  private final class Passages: Sendable {
    private let counts = Mutex<[Failpoint: Int]>([:])

    func count(_ point: Failpoint) -> Int {
      counts.withLock { counts in
        counts[point, default: 0] += 1
        return counts[point, default: 0]
      }
    }
  }
}
