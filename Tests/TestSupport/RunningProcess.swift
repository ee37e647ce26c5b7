// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A process that a test started, as /proc shows it.
public struct RunningProcess: Sendable, Hashable {
  public let number: Int32
  /// The name of its program.
  public let name: String
  /// Its rank under mpirun; nil for mpirun itself.
  public let rank: Int?
  /// Its command line, the program itself left out.
  public let arguments: [String]

  /// The processes that work in a folder: those of a run that was started there.
  public static func all(in folder: String) -> [RunningProcess] {
    let files = FileManager.default
    let folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
    return ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { entry in
      guard let number = Int32(entry),
        (try? files.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")) == folder,
        let status = files.contents(atPath: "/proc/\(number)/stat"),
        !String(decoding: status, as: UTF8.self).contains(") Z "),
        let environment = files.contents(atPath: "/proc/\(number)/environ"),
        let program = try? files.destinationOfSymbolicLink(atPath: "/proc/\(number)/exe")
      else { return nil }
      let rank = environment.split(separator: 0).lazy.compactMap { variable in
        let text = String(decoding: variable, as: UTF8.self)
        return text.hasPrefix("OMPI_COMM_WORLD_RANK=") ? Int(text.dropFirst(21)) : nil
      }.first
      return RunningProcess(
        number: number, name: URL(fileURLWithPath: program).lastPathComponent, rank: rank,
        arguments: (files.contents(atPath: "/proc/\(number)/cmdline") ?? Data())
          .split(separator: 0).dropFirst().map { String(decoding: $0, as: UTF8.self) })
    }
  }

  /// Sends it a signal.
  public func signal(_ signal: Int32) {
    _ = kill(number, signal)
  }
}
