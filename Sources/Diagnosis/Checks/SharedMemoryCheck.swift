// SPDX-License-Identifier: Apache-2.0

import Files

/// /dev/shm, through which the ranks of one machine communicate.
struct SharedMemoryCheck {
  var disk: FileSystem?

  static func here() -> SharedMemoryCheck { SharedMemoryCheck(disk: FileSystem(of: "/dev/shm")) }

  /// The bytes that Open MPI needs there: a few megabytes per rank.
  static let needed = 64 << 20

  var finding: Finding {
    let cure = "mount -o remount,size=1g /dev/shm; in a container: docker run --shm-size=1g"
    guard let disk, disk.folder == "/dev/shm" else {
      return .wrong(
        "shared memory", "there is no /dev/shm", cure: "mount -t tmpfs tmpfs /dev/shm")
    }
    let text = "\(amount(disk.freeBytes)) of \(amount(disk.totalBytes)) free in /dev/shm"
    return disk.freeBytes < Self.needed
      ? .wrong("shared memory", text, cure: cure)
      : .good("shared memory", text, free: disk.freeBytes)
  }
}
