// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs programs of this package, alone or under mpirun.
public enum Program {
  /// How a program ended.
  public struct Outcome: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
    public let seconds: Double

    /// The lines of standard error that mpirun did not write. Its banner is between rules.
    public var ownErrors: [String] {
      var isBanner = false
      return errors.split(separator: "\n").map(String.init).filter { line in
        if line.hasPrefix("-----") {
          isBanner.toggle()
          return false
        }
        return !isBanner
      }
    }

    /// The lines of standard error that are ours, without mpirun's banner.
    public var message: String {
      errors.split(separator: "\n").filter { $0.hasPrefix("momentum-dist:") }
        .joined(separator: "\n")
    }
  }

  /// The folder of the built products: that of the test bundle.
  public static let products = URL(fileURLWithPath: CommandLine.arguments[0])
    .deletingLastPathComponent().path

  /// Runs a program of this package.
  ///
  /// - Parameters:
  ///   - ranks: the number of ranks under mpirun; nil starts it without
  ///   - others: mpirun's options for a second group of ranks with the same arguments
  ///   - deadline: seconds, on an idle machine, after which it is ended, so that a hang is a failure
  ///   - signal: the signal at the deadline; mpirun passes USR1 and USR2 on to the ranks
  ///   - core: the only one that every rank may use
  ///   - errorsFile: what the ranks append their standard error to, past mpirun
  ///   - meanwhile: called once it has started
  public static func run(
    _ arguments: [String], of name: String = "momentum-dist", ranks: Int? = nil,
    and others: [String]? = nil, in folder: String, environment: [String: String] = [:],
    deadline: Double = 120,
    signal: String = "KILL", onCore core: Int? = nil, errorsFile: String? = nil,
    meanwhile: () throws -> Void = {}
  ) throws -> Outcome {
    var command = ["\(products)/\(name)"] + arguments
    if let errorsFile {
      command = ["sh", "-c", "exec \"$0\" \"$@\" 2>>'\(errorsFile)'"] + command
    }
    if let core { command = ["taskset", "--cpu-list", "\(core)"] + command }
    if let ranks {
      let second = others.map { [":"] + $0 + command } ?? []
      command =
        ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"] + command + second
    }
    return try start(
      command, in: folder, environment: environment, deadline: deadline, signal: signal,
      meanwhile: meanwhile)
  }

  /// Runs a script of the folder launch.
  public static func script(
    _ name: String, _ arguments: [String], in folder: String, environment: [String: String] = [:],
    deadline: Double = 120, signal: String = "KILL", meanwhile: () throws -> Void = {}
  ) throws -> Outcome {
    try start(
      ["\(Places.package)/launch/\(name)"] + arguments, in: folder, environment: environment,
      deadline: deadline, signal: signal, meanwhile: meanwhile)
  }

  /// Runs a shell script with arguments, its "$@".
  public static func bash(
    _ script: String, _ arguments: [String] = [], in folder: String,
    environment: [String: String] = [:], deadline: Double = 120,
    meanwhile: () throws -> Void = {}
  ) throws -> Outcome {
    try start(
      ["bash", "-c", script, "bash"] + arguments, in: folder,
      environment: environment.merging(["PROGRAM": "\(products)/momentum-dist"]) { $1 },
      deadline: deadline, meanwhile: meanwhile)
  }

  /// Runs a shell script, which finds the program as "$PROGRAM", with mounts of its own that are
  /// gone when it ends. Needs root.
  public static func shellWithMounts(
    _ script: String, in folder: String, environment: [String: String] = [:]
  ) throws -> Outcome {
    try start(
      ["unshare", "--mount", "bash", "-c", script], in: folder,
      environment: environment.merging(["PROGRAM": "\(products)/momentum-dist"]) { $1 })
  }

  /// Runs a shell script, which finds the program as "$PROGRAM".
  public static func shell(
    _ script: String, in folder: String, environment: [String: String] = [:],
    deadline: Double = 120
  ) throws -> Outcome {
    try start(
      ["bash", "-c", script], in: folder,
      environment: environment.merging(["PROGRAM": "\(products)/momentum-dist"]) { $1 },
      deadline: deadline)
  }

  /// Whether this process may mount file systems.
  public static let canMount: Bool =
    (try? Places.withTemporaryFolder { folder in
      try start(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", folder], in: folder
      ).status == 0
    }) ?? false

  /// Why a test that mounts file systems is skipped.
  public static let mountReason = "needs to mount file systems, as root"

  /// Runs a Python script.
  public static func python(_ script: String, in folder: String) throws -> Outcome {
    try start(["python3", "-c", script], in: folder)
  }

  private static func start(
    _ program: [String], in folder: String, environment: [String: String] = [:],
    deadline: Double = 120, signal: String = "KILL", meanwhile: () throws -> Void = {}
  ) throws -> Outcome {
    // Other signals are sent for their own sake, at the time that the test says.
    let limit = signal == "KILL" ? deadline * Waiting.patience : deadline
    let (process, stem) = try prepare(
      ["timeout", "--preserve-status", "--signal=\(signal)", "--kill-after=20", "\(limit)"]
        + program, in: folder, environment: environment)
    let started = ContinuousClock().now
    try withoutBlockedSignals { try process.run() }
    let failure = Result { try meanwhile() }
    process.waitUntilExit()
    try failure.get()
    let took = ContinuousClock().now - started
    func text(_ suffix: String) -> String {
      let data = FileManager.default.contents(atPath: "\(stem).\(suffix)") ?? Data()
      return String(decoding: data, as: UTF8.self)
    }
    return Outcome(
      status: process.terminationStatus, output: text("out"), errors: text("err"),
      seconds: Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18)
  }

  /// A process that is not started yet, and the stem of the files for its output.
  private static func prepare(
    _ program: [String], in folder: String, environment: [String: String]
  ) throws -> (process: Process, stem: String) {
    let process = Process()
    process.arguments = program
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let stem = "\(folder)/.outcome-\(UUID().uuidString)"
    var variables = ProcessInfo.processInfo.environment
    // Jobs that start and end at the same time make and remove the default folder under each other.
    variables["OMPI_MCA_orte_tmpdir_base"] = "\(stem).mpi"
    variables["PRTE_MCA_prte_tmpdir_base"] = "\(stem).mpi"
    variables["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    variables["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    variables["OMPI_MCA_btl_base_warn_component_unused"] = "0"
    variables.merge(environment) { $1 }
    process.environment = variables
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: a full pipe that nothing reads would stop the program.
    for suffix in ["out", "err"] {
      _ = FileManager.default.createFile(atPath: "\(stem).\(suffix)", contents: nil)
    }
    process.standardOutput = FileHandle(forWritingAtPath: "\(stem).out")
    process.standardError = FileHandle(forWritingAtPath: "\(stem).err")
    return (process, stem)
  }

  /// Tests run on threads that block signals, and a program inherits that: mpirun would then
  /// never hear of the ones it should pass on.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }
}

extension Program {
  /// Runs a program under mpirun and sends mpirun signals when it has said something.
  ///
  /// - Parameters:
  ///   - signals: the signals that it gets, one after the other
  ///   - text: what standard error must hold before
  ///   - deadline: seconds, on an idle machine, after which it is killed, so that a hang is a failure
  public static func run(
    _ arguments: [String], ranks: Int, in folder: String, environment: [String: String] = [:],
    sending signals: [Int32], when text: String, deadline: Double = 60
  ) throws -> Outcome {
    let command =
      ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"]
      + ["\(products)/momentum-dist"] + arguments
    let (process, stem) = try prepare(command, in: folder, environment: environment)
    let started = ContinuousClock().now
    var seconds: Double {
      let took = ContinuousClock().now - started
      return Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18
    }
    try withoutBlockedSignals { try process.run() }
    func errors() -> String {
      String(
        decoding: FileManager.default.contents(atPath: "\(stem).err") ?? Data(), as: UTF8.self)
    }
    var rest = signals
    let limit = deadline * Waiting.patience
    while process.isRunning, seconds < limit {
      if !rest.isEmpty, errors().contains(text) {
        _ = kill(process.processIdentifier, rest.removeFirst())
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    if process.isRunning { _ = kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: "", errors: errors(), seconds: seconds)
  }
}

extension Program {
  /// Runs the program under mpirun, and kills ranks of it at an instant, if it still runs.
  ///
  /// - Parameters:
  ///   - text: what standard error must hold first; empty for the start of mpirun
  ///   - delay: seconds after that
  ///   - victims: chooses among the processes of this many ranks
  public static func run(
    _ arguments: [String], ranks: Int, in folder: String, environment: [String: String] = [:],
    killing victims: (Int) -> [Int], after delay: Double, since text: String,
    deadline: Double = 120
  ) throws -> Outcome {
    let command =
      ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)"]
      + ["\(products)/momentum-dist"] + arguments
    let (process, stem) = try prepare(command, in: folder, environment: environment)
    let started = ContinuousClock().now
    let limit = Duration.seconds(deadline * Waiting.patience)
    try withoutBlockedSignals { try process.run() }
    func errors() -> String {
      String(
        decoding: FileManager.default.contents(atPath: "\(stem).err") ?? Data(), as: UTF8.self)
    }
    while process.isRunning, !text.isEmpty, !errors().contains(text),
      ContinuousClock().now - started < limit
    {
      Thread.sleep(forTimeInterval: 0.01)
    }
    Thread.sleep(forTimeInterval: delay)
    // `env` has become mpirun, whose children are the ranks.
    let children = process.isRunning ? self.children(of: process.processIdentifier) : []
    if !children.isEmpty {
      for victim in victims(children.count) { _ = kill(children[victim], SIGKILL) }
    }
    // mpirun itself may hang when its ranks are killed while it starts them, or all at once: they
    // are gone, and it waits forever. A hang of ours is a failure, and must not outlive the test.
    var alone = 0
    while process.isRunning, alone < 500, ContinuousClock().now - started < limit {
      Thread.sleep(forTimeInterval: 0.01)
      let isAlone = !children.isEmpty && self.children(of: process.processIdentifier).isEmpty
      alone = isAlone ? alone + 1 : 0
    }
    if process.isRunning {
      for child in self.children(of: process.processIdentifier) { _ = kill(child, SIGKILL) }
      _ = kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    let took = ContinuousClock().now - started
    let outcome = Outcome(
      status: process.terminationStatus, output: "", errors: errors(),
      seconds: Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18)
    for suffix in ["out", "err"] {
      try? FileManager.default.removeItem(atPath: "\(stem).\(suffix)")
    }
    return outcome
  }

  /// The processes that another has started.
  private static func children(of parent: Int32) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.sorted().filter { process in
      let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      // After the name, which may hold anything but ends with the last parenthesis: state, parent.
      let fields = status?.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 && Int32(fields[1]) == parent && fields[0] != "Z"
    }
  }
}
