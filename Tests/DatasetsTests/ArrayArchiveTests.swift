// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Labelled sequences from NumPy's files and tables, with targets of each kind.
@Suite struct ArrayArchiveTests {
  private let x = (0..<8).map { Float($0) }

  @Test func classesOfEveryType() throws {
    for labels in [["b", "a", "b", "a"], ["2", "1", "2", "1"]] {
      let archive = try Arrays.read {
        $0.add("x", x, shape: [4, 2, 1])
        if Float(labels[0]) == nil {
          $0.add("y", labels)
        } else {
          $0.add("y", labels.map { Int32($0)! }, shape: [4])
        }
      }
      #expect(archive.target == .classes && archive.classNames == labels[..<2].sorted())
      #expect(archive.train.sequences.count == 2 && archive.test.sequences.count == 2)
      for part in [archive.train, archive.test] {
        for (sequence, label) in zip(part.sequences, part.classes) {
          #expect((Int(sequence[0]) / 2 % 2 == 0) == (label == 1))
        }
      }
    }
    let oneHot = try Arrays.read {
      $0.add("x", x, shape: [4, 2, 1])
      $0.add("y", [0, 1, 1, 0, 0, 1, 1, 0] as [Int32], shape: [4, 2])
    }
    #expect(oneHot.target == .classes && oneHot.classNames == ["0", "1"])
  }

  /// The parts have the same labels.
  @Test func partsWithOtherLabelsAreRefused() {
    let error = #expect(throws: DatasetError.self) {
      try Arrays.read {
        $0.add("X_train", x, shape: [4, 2, 1])
        $0.add("y_train", [0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1] as [Int32], shape: [4, 3])
        $0.add("X_test", [9, 8] as [Float], shape: [1, 2, 1])
        $0.add("y_test", [1, 1] as [Int32], shape: [1, 2])
      }
    }
    #expect("\(error.map(String.init(describing:)) ?? "")".contains("3 labels"))
  }

  @Test func partsAreFoundByTheirNames() throws {
    let archive = try Arrays.read {
      $0.add("X_train", x, shape: [4, 2, 1])
      $0.add("y_train", [0, 1, 0, 1] as [Int32], shape: [4])
      $0.add("X_test", [9, 8] as [Float], shape: [1, 2, 1])
      $0.add("y_test", [1] as [Int32], shape: [1])
    }
    #expect(archive.train.classes == [0, 1, 0, 1])
    #expect(archive.test.sequences == [[9, 8]] && archive.test.classes == [1])
  }

  @Test func numbersAndClassesOfSteps() throws {
    let values = try Arrays.read {
      $0.add("x", x, shape: [4, 2])
      $0.add("y", [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4] as [Float], shape: [4, 2])
    }
    #expect(values.target == .values && values.train.values.count == 4)
    for part in [values.train, values.test] {
      for (index, sequence) in part.sequences.enumerated() {
        #expect(part.values[2 * index] == sequence[0] / 2 + 0.5)
      }
    }
    let tags = try Arrays.read {
      $0.add("x", (0..<10).map { Float($0) }, shape: [10, 1])
      $0.add("offsets", [0, 1, 4, 6, 10] as [Int32], shape: [5])
      $0.add("y", (0..<10).map { Int32($0 % 2) }, shape: [10])
    }
    #expect(tags.target == .stepClasses)
    for part in [tags.train, tags.test] {
      for (sequence, classes) in zip(part.sequences, part.stepClasses) {
        #expect(sequence.map { Int32($0) % 2 } == classes)
      }
    }
  }

  @Test func missingValuesTakeTheirTargetsAlong() throws {
    let archive = try Arrays.read(
      {
        $0.add("x", [.nan, .nan, 2, 3, 4, .nan, 6, 7, 8, 9] as [Float], shape: [5, 2])
        $0.add("y", [0.5, 1.5, 2.5, 3.5, 4.5] as [Float], shape: [5])
      }, inputs: nil
    ) { $0.missing = .drop }
    let all = archive.train.sequences + archive.test.sequences
    #expect(Set(all) == [[2, 3], [4], [6, 7], [8, 9]])
    let values = archive.train.values + archive.test.values
    for (sequence, value) in zip(all, values) { #expect(value == (sequence[0] / 2) + 0.5) }
    #expect(archive.notes.contains { $0.contains("3 missing values in 2 sequences left out") })
  }

  @Test func whatDoesNotFitIsRefused() {
    #expect(
      Arrays.problem {
        $0.add("x", x, shape: [4, 2, 1])
        $0.add("y", [0, 1, 0] as [Int32], shape: [3])
      }.contains("y: is [3] for 4 sequences"))
    #expect(
      Arrays.problem {
        $0.add("left", x, shape: [4, 2, 1])
        $0.add("y", [0, 1, 0, 1] as [Int32], shape: [4])
      }.contains("holds the arrays left, y; name the inputs with --inputs"))
  }

  /// A table with a class on each line, in the order of time.
  @Test func aTableOfTags() throws {
    let rows = (0..<12).reversed().map { "\($0 % 4),\($0),\($0).5,\($0 % 3 == 0 ? "low" : "high")" }
    let text = "who,when,x,state\n" + rows.joined(separator: "\n")
    let archive = try TextFiles.table(text, text) {
      ($0.id, $0.time, $0.target, $0.task) = ("who", "when", "state", .stepClasses)
    }
    #expect(archive.target == .stepClasses && archive.classNames == ["high", "low"])
    for (sequence, classes) in zip(archive.train.sequences, archive.train.stepClasses) {
      #expect(sequence == sequence.sorted() && sequence.count == 3)
      #expect(classes == sequence.map { Int($0) % 3 == 0 ? 1 : 0 })
    }
    let numbers = try TextFiles.table("1,2,0.5\n3,4,1.5", "5,6,7") { $0.task = .values }
    #expect(numbers.train.values == [0.5, 1.5] && numbers.test.values == [7])
  }
}
