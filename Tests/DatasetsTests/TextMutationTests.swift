// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged texts of the forms that `ReaderMutationTests` leaves out: refused in one line that names
/// the file, or read.
@Suite struct TextMutationTests {
  private func campaign(
    _ name: String, seed: UInt64, good: [UInt8], file: String, in folder: String,
    _ read: () throws -> Void
  ) {
    let words =
      ReaderMutationTests.hostileNumbers + ["\"", "\"\"", "(", ")", "(1,", ";", "\t", "%"]
    let tally = ByteMutator.campaign(name, seed: seed, words: words, good: Data(good)) { data in
      try data.write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
      try read()
    } judge: { error, number in
      #expect(error is DatasetError, "\(name) \(number): \(error)")
      #expect(!"\(error)".contains("\n") && "\(error)".contains(folder), "\(name): \(error)")
    }
    #expect(tally.refused > ByteMutator.count / 20, "\(name): \(tally)")
  }

  @Test(arguments: MissingValues.allCases) func noLongTableCrashes(missing: MissingValues) throws {
    try Places.withTemporaryFolder { folder in
      var text = "who;when;\"x; y\";kind\n"
      for row in 0..<24 { text += "a\(row % 6);\(row / 6);\(row),5;\(row % 2)\n" }
      var format = CSVFormat()
      (format.id, format.time, format.target) = ("who", "when", "kind")
      format.missing = missing
      campaign("long", seed: 21, good: Array(text.utf8), file: "table.csv", in: folder) {
        let archive = try CSVTable.read(["\(folder)/table.csv"], format)
        try archive.write(to: "\(folder)/out.h5", normalising: true)
      }
    }
  }

  @Test func noQuotedTableCrashes() throws {
    try Places.withTemporaryFolder { folder in
      var text = ",\"x\",y,\"the class\"\n"
      for row in 0..<12 { text += "\(row),\"\(row)\",-1.5,\"c \"\"\(row % 3)\"\"\"\n" }
      for good in [Array(text.utf8), TextFiles.utf16(text)] {
        campaign("quoted", seed: 22, good: good, file: "table.csv", in: folder) {
          let archive = try CSVTable.read(["\(folder)/table.csv"], CSVFormat())
          try archive.write(to: "\(folder)/out.h5", normalising: true)
        }
      }
    }
  }

  @Test(arguments: MissingValues.allCases) func noStampedArchiveCrashes(
    missing: MissingValues
  ) throws {
    try Places.withTemporaryFolder { folder in
      let text = """
        % comment
        @timestamps true
        @classLabel true a b
        @data
        (0,1),(1,2),(2,3):(0,4),(1,5),(2,6):a
        (2020-01-02 10:00:00,1.5),(2020-01-01 10:00:00,-2):(2020-01-01 10:00:00,5):b
        (0,7):(0,8):a

        """
      let filled = text.replacing("10:00:00,5)", with: "10:00:00,5),(2020-01-02 10:00:00,6)")
      try TextFiles.write(Array(filled.utf8), "\(folder)/X_TEST.ts")
      campaign("stamps", seed: 23, good: Array(filled.utf8), file: "X_TRAIN.ts", in: folder) {
        let archive = try TSArchive.read([folder], missing: missing)
        try archive.write(to: "\(folder)/out.h5", normalising: true)
      }
    }
  }
}
