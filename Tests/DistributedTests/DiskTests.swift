// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Disks that really fail. Each ends the run with 74 and one line with the reason. The last good
/// checkpoint verifies, and the run resumes from it.
@Suite(.serialized, .enabled(if: Program.canMount, .init(rawValue: Program.mountReason)))
struct DiskTests {
  /// A fault of the disk, and how to cause it during a run.
  struct Fault: CustomTestStringConvertible, Sendable {
    let name: String
    /// Commands that mount `disk`.
    let mount: String
    /// Commands while the run is held after its first checkpoint.
    let spoil: String
    /// Commands that repair the disk.
    let repair: String
    /// The text that the line must contain.
    let reason: String

    var testDescription: String { name }
  }

  private static let smallDisk = "mount -t tmpfs -o size=8m tmpfs disk"
  private static let fill = "head -c 64M /dev/zero > disk/filler || true"

  static let faults = [
    Fault(
      name: "full", mount: smallDisk, spoil: fill, repair: "rm disk/filler",
      reason: "are free"),
    Fault(
      name: "read-only", mount: smallDisk,
      spoil: """
        mount --bind disk/run/checkpoints disk/run/checkpoints
        mount -o remount,bind,ro disk/run/checkpoints
        """, repair: "umount disk/run/checkpoints", reason: "Read-only file system"),
    // A file system with room on a device without: the error shows only when the program waits for
    // the written data.
    Fault(
      name: "full device",
      mount: "mkdir below; mount -t tmpfs -o size=16m tmpfs below; \(loopDisk)",
      spoil: "sync; head -c 64M /dev/zero > below/filler || true", repair: "rm below/filler",
      reason: "No space left on device"),
    // The kernel's own way to cut a file system off from its device (EXT4_IOC_SHUTDOWN).
    Fault(
      name: "lost device", mount: "mkdir below; \(loopDisk)",
      spoil: """
        sync
        perl -e 'open(my $d, "<", "disk") or die; my $f = pack("I", 0);
          ioctl($d, 0x8004587d, $f) or die $!'
        """, repair: "umount disk; mount -o loop below/image disk",
      reason: "Input/output error"),
  ]

  private static let loopDisk = """
    truncate -s 64M below/image; mkfs.ext4 -q -m 0 -O ^has_journal below/image
    mount -o loop below/image disk
    """

  static let training = [
    "train", "--output", "disk/run", "--set", "model.hidden_size=20", "--set", "dataset.steps=5",
    "--set", "batch_size=8", "--set", "dataset.train_count=128",
    "--set", "dataset.validation_count=0", "--set", "epochs=100",
    "--set", "checkpoint.every_steps=4", "--set", "checkpoint.keep_last=9",
    "--set", "log.every_steps=1000", "--set", "checkpoint.background=false",
  ].joined(separator: " ")

  /// Holds step 6, damages the disk, lets the run continue to the save of step 8, and looks at what
  /// is left.
  static func script(_ fault: Fault) -> String {
    """
    set -e
    mkdir disk
    \(fault.mount)
    run="mpirun --oversubscribe --bind-to none -np 2 $PROGRAM"
    MOMENTUM_DIST_FAILPOINTS=train.step=delay:2@1#6 $run \(training) --max-steps 12 2>line &
    until grep -q 'train.step holds' line || ! kill -0 $!; do sleep 0.05; done
    until [ -e disk/run/checkpoints/latest ]; do sleep 0.05; done
    \(fault.spoil)
    status=0; wait $! || status=$?
    echo "status $status"
    grep '^momentum-dist:' line
    echo "latest $(readlink disk/run/checkpoints/latest)"
    \(fault.repair)
    $PROGRAM inspect disk/run --verify >/dev/null && echo verified
    $run \(training) --resume --max-steps 12 2>resumed
    grep -o 'resuming from .*' resumed
    $PROGRAM inspect disk/run --json --verify | grep -o '"parameters_sha256" *: *"[0-9a-f]*"'
    """
  }

  @Test(arguments: faults) func aDiskThatFailsEndsTheRunAndKeepsTheLastCheckpoint(
    _ fault: Fault
  ) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.shellWithMounts(Self.script(fault), in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n").map(String.init)
      #expect(lines.first == "status 74", "\(lines)")
      let said = lines.filter { $0.hasPrefix("momentum-dist:") }
      #expect(said.count == 1, "\(lines)")
      #expect(said.first?.contains(fault.reason) == true, "\(lines)")
      #expect(said.first?.contains("disk/run/checkpoints/step-00000008") == true, "\(lines)")
      #expect(lines.contains("latest step-00000004") && lines.contains("verified"), "\(lines)")
      #expect(lines.contains { $0.contains("step 4, epoch") }, "\(lines)")
      let undisturbed = try Program.shellWithMounts(
        "$PROGRAM \(Self.training) --max-steps 12 && $PROGRAM inspect disk/run --json"
          + " | grep -o '\"parameters_sha256\" *: *\"[0-9a-f]*\"'", in: folder)
      #expect(undisturbed.status == 0 && lines.last == undisturbed.output.trimmingNewlines)
    }
  }

  /// The first file that is written, a small text, reports the fault as well.
  @Test func aReadOnlyFolderIsNamedBeforeTheFirstStep() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.shellWithMounts(
        """
        mkdir disk && mount -t tmpfs tmpfs disk && $PROGRAM \(Self.training) --max-steps 4 2>log
        mount -o remount,ro disk
        $PROGRAM \(Self.training) --resume --max-steps 8
        echo "resume $?"
        $PROGRAM train --output disk/other --max-steps 1
        echo "other $?"
        $PROGRAM export disk/run --to disk/run.safetensors
        echo "export $?"
        $PROGRAM prepare adding --to disk/set.h5 --train 8
        echo "prepare $?"
        """, in: folder)
      #expect(
        outcome.output.split(separator: "\n").filter { !$0.contains(":") }
          == ["resume 74", "other 74", "export 74", "prepare 74"], "\(outcome.output)")
      let said = outcome.message.split(separator: "\n")
      #expect(said.count == 4, "\(outcome.errors)")
      for line in said { #expect(line.contains("Read-only file system"), "\(line)") }
    }
  }
}

extension String {
  fileprivate var trimmingNewlines: String { trimmingCharacters(in: .newlines) }
}
