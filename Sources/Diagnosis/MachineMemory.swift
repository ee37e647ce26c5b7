// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// The memory of this machine, and the limits on that of this process.
public struct MachineMemory: Codable, Sendable, Equatable {
  /// The bytes of memory of this machine, including its swap space.
  public var physicalBytes: Double
  /// The bytes that the control groups of this process grant; nil without a limit.
  public var groupBytes: Double?
  /// The path of that control group, whose processes share its limit.
  public var group: String
  /// The bytes that this process alone may have (`ulimit -v`); nil without a limit.
  public var processBytes: Double?

  public init(
    physicalBytes: Double, groupBytes: Double?, group: String, processBytes: Double?
  ) {
    (self.physicalBytes, self.groupBytes) = (physicalBytes, groupBytes)
    (self.group, self.processBytes) = (group, processBytes)
  }

  /// The memory of this machine and of this process's control group.
  public static func here() -> MachineMemory {
    let group = ControlGroup.here()
    return MachineMemory(
      physicalBytes: Double(ProcessInfo.processInfo.physicalMemory) + swapBytes,
      groupBytes: group.memoryBytes.map { Double($0) },
      group: group.folders(of: "memory").first ?? "", processBytes: addressSpaceLimit)
  }

  /// The bytes of swap space; 0 if unknown.
  private static var swapBytes: Double {
    let text = FileManager.default.contents(atPath: "/proc/meminfo") ?? Data()
    let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first {
      $0.hasPrefix("SwapTotal:")
    }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    return (kilobytes ?? 0) * 1024
  }

  /// The corresponding C function is `getrlimit`, with `RLIMIT_AS`.
  private static var addressSpaceLimit: Double? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur < UInt(Int.max)
    else { return nil }
    return Double(limit.rlim_cur)
  }
}
