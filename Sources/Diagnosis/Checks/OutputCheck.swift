// SPDX-License-Identifier: Apache-2.0

import Files

/// Whether runs can be written where they are to be.
struct OutputCheck {
  var disk: FileSystem?
  /// Why a small file cannot be written there; nil if it can.
  var problem: String?

  static func here(_ output: String) -> OutputCheck {
    guard let disk = FileSystem(of: output) else { return OutputCheck(disk: nil, problem: nil) }
    let probe = DurableFiles.temporaryName(for: "\(disk.folder)/momentum-dist-doctor")
    do {
      try DurableFiles.write("probe", to: probe)
      DurableFiles.remove(probe)
      return OutputCheck(disk: disk, problem: nil)
    } catch {
      return OutputCheck(disk: disk, problem: "\(error)")
    }
  }

  var finding: Finding {
    guard let disk else {
      return .wrong("output", "its folder cannot be looked at", cure: "check --output")
    }
    let text = "\(disk.folder): \(disk.kind), \(amount(disk.freeBytes)) free"
    if let problem {
      return .wrong(
        "output", problem, cure: "make \(disk.folder) writable, or choose another --output")
    }
    if disk.freeBytes < 1 << 30 {
      return .wrong(
        "output", text, cure: "make room, or choose another --output; `df -h` shows what there is")
    }
    if disk.isMemory {
      return .note(
        "output", "\(text), in memory: checkpoints are gone after a restart",
        cure: "choose an --output on a disk")
    }
    return .good(
      "output", disk.isRemote ? "\(text), on another machine" : text, free: disk.freeBytes)
  }
}
