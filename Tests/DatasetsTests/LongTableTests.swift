// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Tables with a time step on each line.
@Suite struct LongTableTests {
  private func format(_ change: (inout CSVFormat) -> Void = { _ in }) -> (inout CSVFormat) -> Void {
    var format = CSVFormat()
    format.id = "who"
    format.time = "when"
    format.target = "kind"
    format.values = ["x", "y"]
    change(&format)
    return { [format] in $0 = format }
  }

  static let text = """
    who,when,y,x,kind
    a,10,1,2,up
    b,1,3,4,down
    a,9,5,6,up
    b,2,7,8,down
    a,11,9,10,up

    """

  @Test func stepsAreInTheOrderOfTimeWithinEachSequence() throws {
    let table = try TextFiles.table(Self.text, Self.text, format())
    #expect(table.features == 2 && table.classNames == ["down", "up"])
    #expect(table.train.sequences == [[6, 5, 2, 1, 10, 9], [4, 3, 8, 7]])
    #expect(table.train.classes == [1, 0])
    let unordered = try TextFiles.table(Self.text, Self.text, format { $0.time = nil })
    #expect(unordered.train.sequences[0] == [2, 1, 6, 5, 10, 9])
    let all = try TextFiles.table(Self.text, Self.text, format { $0.values = [] })
    #expect(all.train.sequences[1] == [3, 4, 7, 8])
  }

  /// With the values named, a column of dates is one of the columns that are not read.
  @Test func datesBesideNamedValuesAreNotRead() throws {
    let text = "who,day,x,kind\na,2024-01-03,1,up\na,2024-01-01,2,up\nb,2024-01-01,3,down\n"
    let table = try TextFiles.table(
      text, text,
      format {
        $0.time = nil
        $0.values = ["x"]
      })
    #expect(table.train.sequences == [[1, 2], [3]])
  }

  /// One column of dates orders the steps without being named, and is no value.
  @Test func aColumnOfDatesIsTheTime() throws {
    let rows = (0..<10).map { "2024-01-\(20 - $0),\(20 - $0),5" }
    let text = "day,a,b\n" + rows.joined(separator: "\n")
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/s.csv"
      try TextFiles.write(Array(text.utf8), path)
      let series = try SeriesArchive(path, CSVFormat())
      #expect(series.series.features == 2 && series.series.valueNames == ["a", "b"])
      #expect(series.series.values.prefix(4) == [11, 5, 12, 5])
      let note = "the column \"day\" orders the steps (--time)"
      #expect(series.series.notes.contains { $0.hasSuffix(note) })
      #expect(series.lines.contains { $0.hasPrefix("  a: 11 to 20") })
      try series.write(to: "\(folder)/s.h5")
      #expect(try DatasetPlace("\(folder)/s.h5").valueNames(count: 2) == ["a", "b"])
      #expect(try DatasetPlace("\(folder)/s.h5").valueNames(count: 3) == nil)
    }
  }

  /// A long table that is read as a wide one is refused with the options that read it.
  @Test func aLongTableWithoutItsOptionsIsNamed() throws {
    func problem(_ text: String) -> String {
      do {
        _ = try TextFiles.table(text, text)
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    let long = "subject,time,x,kind\ns1,0,1,up\ns1,1,2,up\ns2,0,3,down\ns2,1,4,down\n"
    #expect(
      problem(long).contains(
        "train.csv:2: \"s1\" in the column \"subject\" is not a number; with a time step on each"
          + " line, add --id subject --time time --target kind;"), "\(problem(long))")
    let dated = "date,x,y\n2024-01-01,1,2\n2024-01-02,3,4\n2024-01-03,3,5\n"
    #expect(problem(dated).contains("--time date"), "\(problem(dated))")
    #expect(problem(dated).contains("`momentum-dist prepare series`"))
  }

  @Test func datesAreOrderedAndUnequalTimesSaid() throws {
    let text = Self.text.replacing("a,10,", with: "a,2024-01-10,")
      .replacing("a,9,", with: "a,2023-12-31,").replacing("a,11,", with: "a,2024-02-01,")
    let table = try TextFiles.table(text, text, format())
    #expect(table.train.sequences[0] == [6, 5, 2, 1, 10, 9])
    func order(_ times: [String]) -> [Int]? {
      var sequence = LongTable.Sequence(id: "a", label: "b", line: 1)
      sequence.times = times.map { Array($0.utf8)[...] }
      sequence.timeLines = Array(times.indices)
      return try? LongTable.order(sequence, path: "x").places
    }
    #expect(order(["10:30", "09:45", "10:29"]) == [1, 2, 0])
    #expect(
      order(["2024-01-01T10:00:00+02:00", "2024-01-01T09:00:00+02:00"]) == [1, 0])
    // Dates with the day or the month first, with names of months, or in two time zones do not sort
    // by their letters.
    #expect(order(["02.01.2024", "01.02.2024"]) == nil)
    #expect(order(["01/31/2024", "02/01/2023"]) == nil)
    #expect(order(["2024-Feb-01", "2024-Jan-31"]) == nil)
    #expect(order(["2024-01-01T10:00:00+02:00", "2024-01-01T09:00:00+00:00"]) == nil)
    #expect(order(["2024-01-01", "2024-1-2"]) == nil)
    let gap = Self.text.replacing(",11,", with: ",30,")
    let notes = try TextFiles.table(gap, gap, format()).notes
    #expect(notes.contains { $0.contains("in 1 of 2 sequences, the times are not equally spaced") })
  }

  /// Steps of the calendar have unequal days.
  @Test(arguments: [
    ([0, 31, 59, 90, 120], true), ([0, 90, 181, 273, 365], true), ([0, 365, 730, 1096], true),
    ([0, 31, 92, 120], false), ([0, 1, 3], false), ([0, 30, 60, 151], false),
  ])
  func monthsAreEquallySpaced(days: [Double], isEqual: Bool) {
    #expect(LongTable.isEqual(days.map { 86400 * $0 }) == isEqual)
  }

  @Test func mistakesAreNamedWithTheirLine() {
    func problem(
      _ old: String, _ new: String, _ change: (inout CSVFormat) -> Void = { _ in }
    ) -> String {
      TextFiles.tableProblem(Self.text.replacing(old, with: new), nil, format(change))
    }
    #expect(
      problem("a,9,5,6,up", "a,9,5,6,down").contains(
        "train.csv:4: has the class \"down\", but line 2 of the same sequence \"a\" has \"up\""))
    #expect(
      problem("a,11", "a,9").contains("train.csv:6: has the time \"9\" of line 4"))
    #expect(problem("a,11", "a,9.0").contains("train.csv:6: has the time \"9.0\" of line 4"))
    #expect(
      problem("a,11", "a,late").contains(
        "train.csv:6: \"late\" is not a sortable time"))
    #expect(problem("a,9,5,6,up", "a,9,5,up").contains("train.csv:4: has 4 fields, but the header"))
    #expect(problem("a,9,5,6,up", "a,9,,6,up").contains("train.csv:4: has a missing value"))
    #expect(problem("a,9,5,6,up", "a,9,5,6,").contains("train.csv:4: has no class"))
    #expect(problem("", "") { $0.id = "whom" }.contains("has 0 columns called \"whom\""))
    #expect(problem("", "") { $0.values = ["x", "z"] }.contains("has 0 columns called \"z\""))
  }

  @Test func missingValuesAreFilledInAfterTheStepsAreInOrder() throws {
    let text = Self.text.replacing("a,10,1,2", with: "a,10,,2")
    let table = try TextFiles.table(text, text, format { $0.missing = .carry })
    #expect(table.train.sequences[0] == [6, 5, 2, 5, 10, 9])
  }
}
