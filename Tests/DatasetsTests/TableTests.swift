// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// How wide tables are recognised, and which are refused.
@Suite struct TableTests {
  private func problem(
    _ train: String, _ test: String? = nil, _ change: (inout CSVFormat) -> Void = { _ in }
  ) -> String {
    TextFiles.tableProblem(train, test, change)
  }

  /// The same rows under every separator, with decimal points and commas.
  @Test(arguments: [",", ";", "\t", "|", " "], [".", ","])
  func separatorsAreRecognised(separator: String, point: String) throws {
    guard separator != point else { return }
    let rows = [["1.5", "-2", "up"], ["3", "4.25", "down"], ["5", "6e1", "up"]]
      .map { $0.map { $0.replacing(".", with: point) }.joined(separator: separator) }
    let text = rows.joined(separator: "\n")
    let table = try TextFiles.table(text, text)
    #expect(table.train.sequences == [[1.5, -2], [3, 4.25], [5, 60]])
    #expect(table.classNames == ["down", "up"] && table.train.classes == [1, 0, 1])
    #expect(table.notes[0].contains("decimal commas") == (point == ","), "\(table.notes)")
    let names = ["\t": "tab", " ": "blanks"]
    #expect(table.notes[0].contains("separator \(names[separator] ?? "\"\(separator)\"")"))
    #expect(table.notes[0].contains("no header, 3 sequences") || point == ",")
  }

  @Test func decimalSignsAreNotMixed() throws {
    #expect(
      problem("1,5;2;a\n1;2.5;b").contains(
        "train.csv:2: has decimal points, unlike line 1"))
    #expect(problem("1,5;2;a\n1.234,5;2;b").contains("train.csv:2: \"1.234,5\" is not a number"))
    // The comma of a single value does not separate it.
    let one = try TextFiles.table("1,5;a\n2,5;b\n3,5;a", "1,5;a\n2;b")
    #expect(one.train.sequences == [[1.5], [2.5], [3.5]] && one.classNames == ["a", "b"])
  }

  @Test func headersAreRecognised() throws {
    let rows = "1,2,a\n3,4,b\n5,6,a\n"
    for header in ["x1,x2,class\n", "\"x 1\",\"x,2\",kind\n", "t0,t1,a\n", "1,2,label\n"] {
      let table = try TextFiles.table(header + rows, header + rows)
      #expect(table.train.sequences == [[1, 2], [3, 4], [5, 6]], "\(header)")
      #expect(table.classNames == ["a", "b"] && table.notes[0].contains("header"))
    }
    // Column numbers; and a class of numbers, first.
    let counted = try TextFiles.table("0,1,2,3\n7,8,9,a\n7,8,9,b\n", "7,8,9,a\n7,8,9,b")
    #expect(counted.train.sequences.count == 2)
    let unnamed = try TextFiles.table(
      ",label,0,1,2\n0,a,7,8,9\n1,b,7,8,9\n", ",label,0,1,2\n0,a,7,8,9"
    ) {
      $0.labelComesFirst = true
    }
    #expect(unnamed.train.sequences[0] == [7, 8, 9] && unnamed.classNames == ["a", "b"])
    // A line of column numbers is not a header if its class is a class.
    #expect(try TextFiles.table("1,2,3,a\n4,5,6,b", "1,2,3,a").train.sequences.count == 2)
    let first = try TextFiles.table("kind;x\n1;5\n2;6\n1;7\n", "1;5\n2;6") {
      $0.labelComesFirst = true
    }
    #expect(first.train.sequences == [[5], [6], [7]] && first.classNames == ["1", "2"])
    // No header, because the user says so, or because values are numbers.
    #expect(
      problem("x,y\n1,a\n2,b", "1,a") { $0.headerLines = 0 }.contains("\"x\" is not a number"))
    let plain = try TextFiles.table(rows, rows)
    #expect(plain.train.sequences.count == 3 && plain.notes[0].contains("no header"))
    #expect(problem("1,x,a\n1,2,b\n3,4,a").contains("train.csv:1: \"x\" is not a number"))
    #expect(
      problem("u,v,class\n" + rows, "v,u,class\n" + rows).contains(
        "has different columns in its header"))
  }

  @Test func columnsAreTakenByName() throws {
    let text = "kind,b,note,a\nx,1,u,2\ny,3,v,4\n"
    let table = try TextFiles.table(text, text) {
      $0.target = "kind"
      $0.values = ["a", "b"]
    }
    #expect(table.train.sequences == [[2, 1], [4, 3]] && table.classNames == ["x", "y"])
    #expect(problem(text) { $0.target = "sort" }.contains("has 0 columns called \"sort\""))
    #expect(
      problem("a,a,kind\n1,2,x\n3,4,y") {
        $0.target = "kind"
        $0.values = ["a"]
      }.contains("has 2 columns called \"a\""))
  }

  @Test func indexColumnsAreLeftOutOrAskedAbout() throws {
    let rows = (0..<6).map { "\($0),\($0 * $0),7,\("ab".prefix($0 % 2 + 1))" }
    let text = rows.joined(separator: "\n")
    #expect(problem(text, text).contains("its first column counts the lines; set --index yes"))
    for header in [",x,y,class\n", "Unnamed: 0,x,y,class\n", "index,0,1,label\n"] {
      let table = try TextFiles.table(header + text, header + text)
      #expect(table.train.sequences[3] == [9, 7], "\(header)")
      #expect(table.notes[0].contains("the first column is an index and left out"))
    }
    let left = try TextFiles.table(text, text) { $0.index = .yes }
    #expect(left.train.sequences[3] == [9, 7])
    let kept = try TextFiles.table(text, text) { $0.index = .no }
    #expect(kept.train.sequences[3] == [3, 9, 7])
    // R leaves the name of the column of row names out.
    let r = "\"x\" \"y\" \"class\"\n\"r1\" 1 2 \"a\"\n\"r2\" 3 4 \"b\"\n"
    #expect(try TextFiles.table(r, r).train.sequences == [[1, 2], [3, 4]])
    // Shuffled rows keep their numbers; a column of that name that repeats is no index.
    let shuffled = ",x,y,class\n" + rows.reversed().joined(separator: "\n")
    #expect(try TextFiles.table(shuffled, shuffled).train.sequences[0] == [25, 7])
    #expect(problem(",x,class\n1,2,a\n1,3,b").contains("is not an index: its values repeat"))
    // The class first, or something that looks like it.
    let swapped = (1...6).map { "\($0),\($0 % 3),8" }.joined(separator: "\n")
    #expect(
      problem(swapped, swapped) { $0.labelComesFirst = true }.contains("counts the lines"))
  }

  @Test func quotedFieldsFollowRFC4180() throws {
    let text = "\"1\",\"2.5\",\"say \"\"a, b\"\"\"\n3, \"4\" ,c\n"
    let table = try TextFiles.table(text, text)
    #expect(table.train.sequences == [[1, 2.5], [3, 4]])
    #expect(table.classNames == ["c", "say \"a, b\""])
    #expect(problem("1,2,\"a\n3,4,b\n").contains("train.csv:1: a quote is opened and never closed"))
    #expect(problem("1,2,\"a\"x\n3,4,b\n").contains("train.csv:1: text follows a closing quote"))
    #expect(
      problem("1,2,\"a\nb\"\n3,4,b\n5,x,b").contains("train.csv:1: the class \"a b\" contains a")
    )
    #expect(problem("1,2,a\n\"3\n\",4,b\n5,x,b").contains("train.csv:2: \"3 \" is not a number"))
  }

  /// The class is missing, first or last, with every separator. The message has the line.
  @Test(arguments: [",", ";", "\t", "|"]) func missingClassesAreRefused(separator: String) {
    func rows(_ last: String) -> String {
      ["1", "2", "3"].map { ["4", "5", "6", $0].joined(separator: separator) + "\n" }.joined()
        + ["4", "5", "6", last].joined(separator: separator) + "\n"
    }
    #expect(problem(rows("")).contains("train.csv:4: has no class"))
    #expect(problem(rows("  ")).contains("train.csv:4: has no class"))
    #expect(problem(rows("?")).contains("train.csv:4: has no class (\"?\")"))
    let first = ["a", "b", "", "a"].map { [$0, "7", "8"].joined(separator: separator) + "\n" }
    #expect(
      problem(first.joined()) { $0.labelComesFirst = true }.contains("train.csv:3: has no class"))
    // The same without its separator, if the other lines have words.
    let short = "4\(separator)5\(separator)a\n4\(separator)6\(separator)b\n4\(separator)5\n"
    #expect(
      problem(short).contains("train.csv:3: differs in length from most lines, and its class 5"))
  }

  /// Empty values at the end do not silently shorten a sequence.
  @Test(arguments: [",", "\t"]) func emptyValuesAreMissing(separator: String) throws {
    let text = ["a,1,2,3,4", "b,1,,,", "a,5,,7,8", "b,,2,3,4"].joined(separator: "\n")
      .replacing(",", with: separator)
    #expect(
      problem(text) { $0.labelComesFirst = true }.contains("train.csv:2: has a missing value"))
    func sequences(_ missing: MissingValues, features: Int = 1) throws -> SequenceArchive {
      try TextFiles.table(text, text) {
        $0.labelComesFirst = true
        $0.missing = missing
        $0.features = features
      }
    }
    #expect(
      try sequences(.zero).train.sequences
        == [[1, 2, 3, 4], [1, 0, 0, 0], [5, 0, 7, 8], [0, 2, 3, 4]])
    #expect(
      try sequences(.carry).train.sequences
        == [[1, 2, 3, 4], [1, 1, 1, 1], [5, 5, 7, 8], [2, 2, 3, 4]])
    #expect(throws: DatasetError.self) { try sequences(.carry, features: 2) }
    #expect(
      try sequences(.drop).train.sequences == [[1, 2, 3, 4], [1], [5, 7, 8], [2, 3, 4]])
    #expect(try sequences(.drop, features: 2).train.sequences == [[1, 2, 3, 4], [7, 8], [3, 4]])
    #expect(try sequences(.drop, features: 2).train.classes == [0, 0, 1])
    let note = try sequences(.drop).notes.first { $0.contains("missing") }
    #expect(note?.hasSuffix("5 missing values in 3 sequences left out with their steps") == true)
  }

  @Test func lengthsThatStandOutAreSaid() throws {
    var rows = (0..<40).map { "\($0 % 7),\($0 % 5),3,\($0 % 2)" }
    rows[7] = "1,2,1"
    let text = rows.joined(separator: "\n")
    let table = try TextFiles.table(text, text)
    #expect(
      table.notes.contains {
        $0.contains("1 sequence does not have 3 steps as the others do: line 8")
      })
  }

  @Test func valuesAreNoClasses() {
    let rows = (0..<30).map { "\($0 % 7),\($0 % 5),\(Double($0 * $0) / 7)" }.joined(separator: "\n")
    #expect(problem(rows).contains("has 30 classes for 30 sequences; add --task regression"))
  }

  /// As many classes as sequences. (When each label was looked for among all names, this took most
  /// of a minute.)
  @Test func manyClassesAreRead() throws {
    let rows = (0..<60_000).map { "\($0 % 10),\($0 % 3),c\($0)\n" }.joined()
    let table = try TextFiles.table(rows, rows)
    #expect(table.classNames.count == 60_000 && Set(table.train.classes).count == 60_000)
    #expect(table.classNames[Int(table.train.classes[31_415])] == "c31415")
  }

  @Test func rareClassesAreInBothParts() throws {
    for seed in 0..<12 {
      var lines = (0..<100).map { "\($0 % 9),2,3,\("ab".prefix($0 % 2 + 1))" }
      lines[(seed * 7) % 100] = "1,2,3,rare"
      lines[(seed * 13 + 50) % 100] = "1,2,3,rare"
      let table = try TextFiles.table(lines.joined(separator: "\n"))
      let rare = try #require(table.classNames.firstIndex(of: "rare"))
      #expect(table.classCounts[rare] == (1, 1), "\(seed)")
      #expect(table.train.classes.count + table.test.classes.count == 100)
    }
    // A class of one sequence is for training, and is reported.
    let lines = (0..<30).map { $0 == 4 ? "1,2,one" : "\($0 % 9),2,\("ab".prefix($0 % 2 + 1))" }
    let table = try TextFiles.table(lines.joined(separator: "\n"))
    let one = try #require(table.classNames.firstIndex(of: "one"))
    #expect(table.classCounts[one] == (1, 0))
    #expect(table.notes.contains { $0.contains("the class \"one\" has only one sequence") })
  }
}
