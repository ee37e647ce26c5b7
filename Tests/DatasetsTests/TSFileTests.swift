// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Content of .ts archives other than plain numbers.
@Suite struct TSFileTests {
  private func read(
    _ train: String, _ missing: MissingValues = .refuse
  ) throws -> SequenceArchive {
    try Places.withTemporaryFolder { folder in
      for part in ["TRAIN", "TEST"] {
        try TextFiles.write(Array(train.utf8), "\(folder)/X_\(part).ts")
      }
      return try TSArchive.read([folder], missing: missing)
    }
  }

  private func problem(_ train: String, _ missing: MissingValues = .refuse) -> String {
    do {
      _ = try read(train, missing)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  static let header = "% a comment\n@PROBLEMNAME x\n@ClassLabel TRUE a b\n@DATA\n"

  @Test func commentsAndLetterCaseOfKeys() throws {
    let archive = try read(Self.header + "% one more\n1,2:a\n  # and another\n3,4:b\n")
    #expect(archive.train.sequences == [[1, 2], [3, 4]] && archive.classNames == ["a", "b"])
  }

  @Test func missingValuesAreRefusedOrFilledInAndCounted() throws {
    let text = Self.header + "1,?,3:4,5,NaN:a\nNaN,2,3:4,5,6:b\n"
    #expect(problem(text).contains("X_TRAIN.ts:5: has a missing value (\"?\")"))
    #expect(try read(text, .zero).train.sequences == [[1, 4, 0, 5, 3, 0], [0, 4, 2, 5, 3, 6]])
    let carried = try read(text, .carry)
    #expect(carried.train.sequences == [[1, 4, 1, 5, 3, 5], [2, 4, 2, 5, 3, 6]])
    #expect(carried.notes.count == 2)
    #expect(
      carried.notes[0].hasSuffix(
        "X_TRAIN.ts: 3 missing values in 2 sequences filled from the previous step"))
    #expect(try read(text, .drop).train.sequences == [[1, 4], [2, 5, 3, 6]])
    let empty = Self.header + "?,?:1,2:a\n1,2:3,4:b\n5,6:7,8:a\n"
    #expect(problem(empty, .carry).contains("X_TRAIN.ts:5: feature 1 has no value to carry"))
    let dropped = try read(empty, .drop)
    #expect(dropped.train.classes == [1, 0])
    #expect(dropped.notes[0].contains("1 sequence with no complete step left out"))
  }

  @Test func timeStampsPutStepsInOrder() throws {
    let header = Self.header.replacing("@DATA", with: "@timestamps true\n@data")
    let archive = try read(
      header + "(0,1.0),(1,2.0),(2,3.0):(0,4),(1,5),(2,6):a\n( 3 , 30 ),(1,10):(1,7),(3,8):b\n")
    #expect(archive.train.sequences == [[1, 4, 2, 5, 3, 6], [10, 7, 30, 8]])
    #expect(archive.steps == 2...3 && archive.notes.isEmpty)
    // Dates hold colons.
    let dates = try read(
      header + "(2020-01-01 10:00:00,1),(2020-01-01 09:00:00,2):a\n(2021-01-01 00:00:00,3):b\n")
    #expect(dates.train.sequences == [[2, 1], [3]])
    let gap = try read(header + "(0,1),(1,2),(5,3):a\n(0,1):b\n")
    #expect(
      gap.notes[0].contains("the times of 1 of 2 sequences with time stamps are not equally"))
    // A feature without a value at another feature's time has a missing value.
    let ragged = header + "(0,1),(1,2):(1,5):a\n(0,1):(0,2):b\n"
    #expect(problem(ragged).contains("X_TRAIN.ts:6: dimension 2 has no value at the time \"0\""))
    #expect(try read(ragged, .zero).train.sequences[0] == [1, 0, 2, 5])
    #expect(problem(header + "(0,1),(0,2):a\n").contains("has the time \"0\" twice"))
    #expect(problem(header + "(0,1),2:a\n").contains("\"2\" is not a value with its time"))
    #expect(problem(header + "(0,x):a\n").contains("\"x\" is not a number"))
  }

  @Test func headersThatDifferFromTheDataAreSaid() throws {
    let right = "@univariate false\n@dimensions 2\n@equalLength true\n@seriesLength 2\n"
    let data = "@classLabel true a b\n@data\n1,2:3,4:a\n5,6:7,8:b\n"
    #expect(try read(right + data).notes.isEmpty)
    let wrong =
      "@UNIVARIATE true\n@Dimension 3\n@equalLength false\n@seriesLength 5\n@missing true\n"
    let notes = try read(wrong + data).notes.prefix(5)
    #expect(
      notes.map { String($0.split(separator: ": ")[1]) } == [
        "the header has @univariate true, the sequences false",
        "the header has @dimension 3, the sequences 2",
        "the header has @equallength false, the sequences true",
        "the header has @serieslength 5, the sequences 2",
        "the header has @missing true, the sequences false",
      ])
  }

  @Test func numbersToPredict() throws {
    let archive = try read("@TargetLabel True\n@data\n1,2:2.5\n3,4:-1\n")
    #expect(archive.target == .values && archive.train.values == [2.5, -1])
    #expect(archive.train.sequences == [[1, 2], [3, 4]])
    #expect(
      problem("@targetlabel true\n@data\n1:up\n").contains(
        "X_TRAIN.ts:3: \"up\" is not a number to predict"))
  }

  @Test func whatIsNotLearnedIsRefusedWithACure() {
    #expect(
      problem("@CLASSLABEL FALSE\n@data\n1:2\n").contains("X_TRAIN.ts:1: its sequences have no"))
  }
}
