// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Arrays with missing steps, times or unequal lengths. Labels and times must stay with their
/// steps, and arrays that do not fit are refused.
@Suite struct ArrayIntakeTests {
  /// Each step's value, label and time are the same number, so that a step out of place is seen.
  private func expectInStep(_ archive: SequenceArchive, steps: Set<Float>) {
    var seen: Set<Float> = []
    for part in [archive.train, archive.test] {
      for (index, sequence) in part.sequences.enumerated() {
        seen.formUnion(sequence)
        #expect(
          part.stepClasses[index].map { archive.classNames[Int($0)] }
            == sequence.map { "\(Int($0))" })
        #expect(part.steps(of: index).times(sequence.count) == sequence.map { Double($0) / 2 })
      }
    }
    #expect(seen == steps)
  }

  @Test func labelsAndTimesFollowTheStepsThatAreLeft() throws {
    let flat = try Arrays.read(
      {
        $0.add("x", [10, .nan, 12, 13, .nan, 15, 16] as [Float], shape: [7, 1])
        $0.add("offsets", [0, 3, 5, 7] as [Int32], shape: [4])
        $0.add("y", [10, 11, 12, 13, 14, 15, 16] as [Int32], shape: [7])
        $0.add("times", [5, 5.5, 6, 6.5, 7, 7.5, 8] as [Float], shape: [7])
      }
    ) { $0.missing = .drop }
    expectInStep(flat, steps: [10, 12, 13, 15, 16])
    // A whole sequence is left out, with its labels and times.
    let padded = try Arrays.read(
      {
        $0.add("x", [10, 11, .nan, .nan, 14, 15, 16, .nan] as [Float], shape: [4, 2, 1])
        $0.add("y", [10, 11, 12, 13, 14, 15, 16, 17] as [Int32], shape: [4, 2])
        $0.add("times", [5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5] as [Float], shape: [4, 2])
      }
    ) { ($0.missing, $0.task) = (.drop, .stepClasses) }
    expectInStep(padded, steps: [10, 11, 14, 15, 16])
  }

  /// The times of a padded array lose the values beyond the end of a sequence.
  @Test func timesAreCutToTheLengths() throws {
    var (writer, format) = (NumPyArchiveWriter(), UnlabelledFormat())
    format.features = 1
    writer.add("x", [1, 0, 2, 3] as [Float], shape: [2, 2, 1])
    writer.add("lengths", [1, 2] as [Int32], shape: [2])
    writer.add("times", [0.5, -1, 1, 1.5] as [Float], shape: [2, 2])
    let bytes = Data(writer.archive)
    try Places.withTemporaryFolder { folder in
      try bytes.write(to: URL(fileURLWithPath: "\(folder)/a.npz"))
      let sequences = try UnlabelledSequences("\(folder)/a.npz", format)
      #expect(sequences.values == [1, 2, 3] && sequences.times == [0.5, 1, 1.5])
      #expect(sequences.rows == nil)
    }
  }

  /// Sequences without a complete step are left out, and the others keep the number of their row.
  @Test func rowsAreThoseOfTheFile() throws {
    var (writer, format) = (NumPyArchiveWriter(), UnlabelledFormat())
    (format.features, format.table.missing) = (1, .drop)
    writer.add("x", [.nan, .nan, 2, 3, .nan, .nan, 6, .nan] as [Float], shape: [4, 2])
    let bytes = Data(writer.archive)
    try Places.withTemporaryFolder { folder in
      try bytes.write(to: URL(fileURLWithPath: "\(folder)/a.npz"))
      let sequences = try UnlabelledSequences("\(folder)/a.npz", format)
      #expect(sequences.rows == [1, 3] && sequences.values == [2, 3, 6])
    }
  }

  /// With a separate test part, `times_train` belongs to the training part and `times_test` to the
  /// test part.
  @Test func timesOfBothParts() throws {
    func add(_ times: [String], _ writer: inout NumPyArchiveWriter) {
      for (part, first) in [("train", 10), ("test", 14)] {
        let own = first..<first + 4
        writer.add("x_\(part)", own.map { Float($0) }, shape: [2, 2])
        writer.add("y_\(part)", own.map { Int32($0) }, shape: [2, 2])
      }
      for (name, first) in zip(times, [5, 7]) {
        writer.add(name, (0..<4).map { Float(first) + Float($0) / 2 }, shape: [2, 2])
      }
    }
    for names in [["times_train", "times_test"], ["train_times", "test_times"]] {
      let archive = try Arrays.read {
        add(names, &$0)
      } _: {
        $0.task = .stepClasses
      }
      expectInStep(archive, steps: Set((10..<18).map { Float($0) }))
    }
    #expect(
      Arrays.problem { add(["times"], &$0) }.contains(
        "has times, and nothing says whether of x_train or of another part; name it times_train"))
  }

  @Test func offsetsAndLengthsAreChecked() {
    for (offsets, words) in [
      ([0, 1, 4], "offsets go from 0 to 4, but there are 3 steps"),
      ([1, 2, 3], "offsets go from 1 to 3, but there are 3 steps"), ([], "offsets are empty"),
      ([0, 3, 2, 3], "with offsets or lengths it must be [F, C]"),
      ([0, 0, 3], "with offsets or lengths it must be [F, C]"),
    ] as [([Int32], String)] {
      let found = Arrays.problem {
        $0.add("x", [1, 2, 3] as [Float], shape: [3, 1])
        $0.add("offsets", offsets, shape: [offsets.count])
        $0.add("y", [0, 1, 0] as [Int32], shape: [3])
      }
      #expect(found.contains(words), "\(offsets): \(found)")
    }
    for lengths in [[2, 3], [0, 2], [-1, 2], [2]] as [[Int32]] {
      let found = Arrays.problem {
        $0.add("x", [1, 2, 3, 4] as [Float], shape: [2, 2, 1])
        $0.add("lengths", lengths, shape: [lengths.count])
        $0.add("y", [0, 1] as [Int32], shape: [2])
      }
      #expect(found.contains("lengths must be [N] numbers from 1 to T"), "\(lengths): \(found)")
    }
    let wide = Arrays.problem {
      $0.add("x", [1, 2, 3, 4] as [Float], shape: [2, 2, 1])
      $0.add("times", [1, 2, 3] as [Float], shape: [3])
      $0.add("y", [0, 1] as [Int32], shape: [2])
    }
    #expect(wide.contains("times is [3], but there are 4 steps"), "\(wide)")
  }

  /// Labels that differ in the last of 64 bits are different classes.
  @Test func labelsOf64BitsAreExact() throws {
    try Places.withTemporaryFolder { folder in
      let labels: [UInt64] = [.max, .max - 1, 1 << 53, (1 << 53) + 1]
      let bytes = labels.flatMap { label in (0..<8).map { UInt8(label >> (8 * $0) & 255) } }
      try TextFiles.write(
        NumPyArray.file(type: "<u8", shape: [8], data: bytes + bytes), "\(folder)/y.npy")
      try TextFiles.write(
        NumPyArray.file(type: "|u1", shape: [8, 1], data: [0, 1, 2, 3, 4, 5, 6, 7]),
        "\(folder)/x.npy")
      var archive = ArrayArchive(train: (.init("\(folder)/x.npy"), .init("\(folder)/y.npy")))
      archive.testShare = 0.5
      let names = try archive.read().classNames
      #expect(Set(names) == Set(labels.map { "\($0)" }), "\(names)")
    }
  }

  @Test func packedArraysAreRefused() throws {
    let file = NumPyArray.file(type: "|u1", shape: [2], data: [0, 1])
    let found = try TextFiles.problem(TextFiles.gzipped(file), as: "x.npy.gz") { path in
      _ = try UnlabelledSequences(path, UnlabelledFormat())
    }
    #expect(found.contains("x.npy.gz: is packed by gzip; unpack it first, with gunzip"), "\(found)")
  }
}
