// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// A user's own files, read by the whole program on several ranks.
@Suite(.serialized) struct OwnFileProgramTests {
  static let own = [
    "train", "--set", "dataset.task=classification", "--set", "dataset.inputs={part}/x",
    "--set", "dataset.targets={part}/y", "--set", "model.hidden_size=8", "--set", "batch_size=8",
    "--set", "shards=2", "--set", "dataset.validation_count=12", "--set", "epochs=1",
  ]

  /// Numbers that look random, and are the same each time.
  static func inputs(_ rows: Int) -> [Float] {
    (0..<rows * 18).map { Float($0 * 7919 % 1000) / 500 - 1 }
  }

  /// 60 sequences, of which this many are written.
  static func write(
    _ name: String, in folder: String, rows: Int = 60, labels: Int = 60, deflate: Int? = nil,
    _ change: ((HDF5.File) throws -> Void)? = nil
  ) throws {
    let file = try HDF5.File.create("\(folder)/\(name)")
    let x = try file.createDataset(
      "train/x", of: Float.self, shape: [60, 6, 3], chunk: [10, 6, 3], deflate: deflate)
    let y = try file.createDataset(
      "train/y", of: Int32.self, shape: [60], chunk: [10], deflate: deflate)
    let numbers = inputs(rows)
    try x.write(numbers.span, at: [0, 0, 0], count: [rows, 6, 3])
    let classes = (0..<labels).map { Int32($0 % 3) }
    try y.write(classes.span, at: [0], count: [labels])
    try change?(file)
    try file.close()
  }

  /// A writer that was interrupted leaves chunks that would read as zeros.
  @Test(arguments: [nil, 4]) func chunksNeverWritten(deflate: Int?) throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("x.h5", in: folder, rows: 40, deflate: deflate)
      try Self.write("y.h5", in: folder, labels: 40, deflate: deflate)
      try Self.write("none.h5", in: folder, labels: 0, deflate: deflate)
      for (file, problem) in [
        ("x.h5", "/train/x: cannot use"), ("y.h5", "/train/y: cannot use"),
        ("none.h5", "none of its 6 chunks was ever written"),
      ] {
        let outcome = try Program.run(
          Self.own + ["--set", "dataset.file=\(file)", "--output", "run"], ranks: 2, in: folder)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
        #expect(outcome.message.contains("momentum-dist: \(file): "), "\(outcome.errors)")
        #expect(outcome.message.contains(problem), "\(outcome.errors)")
        if file != "none.h5" {
          #expect(
            outcome.message.contains("2 of its 6 chunks were never written, from row 40 on"),
            "\(outcome.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      }
    }
  }

  /// The attributes of a user's own file do not change its numbers.
  @Test func attributesOfAUsersFile() throws {
    try Places.withTemporaryFolder { folder in
      let classes = ["walk", "run", "sit"]
      var sums: Set<String> = []
      for name in ["none", "classes", "class_names", "scaling_text", "scaling_1000"] {
        try Self.write("\(name).h5", in: folder) { file in
          switch name {
          case "classes", "class_names": try file.setAttribute(name, classes)
          case "scaling_text": try file.setAttribute("scaling", "z-score")
          case "scaling_1000": try file.setAttribute("scaling", 1000.0)
          default: break
          }
        }
        let outcome = try Program.run(
          Self.own + ["--set", "dataset.file=\(name).h5", "--output", name], ranks: 2, in: folder)
        #expect(outcome.status == 0, "\(name): \(outcome.errors)")
        let isNoted = outcome.errors.contains("note: \(name).h5: `momentum-dist prepare` did not")
        #expect(isNoted == (name.hasPrefix("scaling") || name == "classes"), "\(outcome.errors)")
        let report = try Program.run(["inspect", name, "--json"], in: folder).output
        let line = report.split(separator: "\n").first { $0.contains("parameters_sha256") }
        sums.insert(String(try #require(line)))
      }
      #expect(sums.count == 1, "\(sums)")
    }
  }

  /// The counted number of classes may be set later; another number is refused. So runs on labels
  /// that start at 1, which need it, can still be resumed.
  @Test func countedClassesMayBeNamed() throws {
    try Places.withTemporaryFolder { folder in
      try Self.write("own.h5", in: folder)
      let start = try Program.run(
        Self.own + ["--set", "dataset.file=own.h5", "--output", "run"], in: folder)
      #expect(start.status == 0, "\(start.errors)")
      for (classes, status) in [(4, 65), (3, 0)] {
        let outcome = try Program.run(
          [
            "train", "--resume", "run", "--set", "epochs=2", "--set", "dataset.classes=\(classes)",
          ], ranks: 2, in: folder)
        #expect(outcome.status == Int32(status), "\(classes): \(outcome.errors)")
      }
    }
  }

  /// A hundred files within sixty-four that may be open, in memory and streamed.
  @Test(arguments: [0, 1024]) func moreFilesThanMayBeOpen(memory: Int) throws {
    try Places.withTemporaryFolder { folder in
      for number in 0..<100 {
        let file = try HDF5.File.create("\(folder)/\(String(format: "%03d", number)).h5")
        try file.write(Self.inputs(1), to: "train/x", shape: [1, 6, 3])
        try file.write([Int32(number % 3)], to: "train/y")
        try file.close()
      }
      let words =
        (Self.own + [
          "--set", "dataset.file=0*.h5", "--set", "dataset.memory=\(memory)", "--output", "run",
        ]).map { "'\($0)'" }.joined(separator: " ")
      let outcome = try Program.shell(
        "ulimit -n 64; ulimit -n; \"$PROGRAM\" \(words)", in: folder)
      #expect(outcome.output.hasPrefix("64\n"), "\(outcome.output)")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("88 sequences"), "\(outcome.errors)")
    }
  }

  /// The soft limit is raised to the hard one.
  @Test func theSoftLimitIsRaised() throws {
    try Places.withTemporaryFolder { folder in
      // The limit of the running program, as the system has it.
      let outcome = try Program.shell(
        """
        ulimit -n 1000; ulimit -S -n 64
        "$PROGRAM" train --set epochs=1000000 --output run 2>errors & child=$!
        for i in $(seq 100); do grep -q sequences errors && break; sleep 0.1; done
        grep 'open files' /proc/$child/limits
        kill $child; wait $child; cat errors >&2
        """, in: folder)
      let fields = outcome.output.split(separator: " ").map(String.init)
      #expect(fields.starts(with: ["Max", "open", "files", "1000", "1000"]), "\(outcome.output)")
    }
  }
}
