// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets

/// The columns of a table with a time step on each line.
struct TableColumns: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "In a table: the column that names each line's sequence or series.", valueName: "name"))
  var id: String?

  @Option(
    help: ArgumentHelp("Of a table: the column that orders the steps.", valueName: "name"))
  var time: String?

  @Option(
    help: ArgumentHelp(
      "Of a table with a time step per line: the value columns, separated by commas.",
      valueName: "names"))
  var values: String?

  @Option(
    help: ArgumentHelp(
      "How to treat missing values, as in `prepare csv`.", valueName: "refuse|zero|carry|drop"))
  var missing = MissingValues.refuse

  var format: CSVFormat {
    var format = CSVFormat()
    (format.id, format.time, format.missing) = (id, time, missing)
    format.values = names(inList: values)
    return format
  }
}

/// The names in a list that commas separate, without the spaces before them.
func names(inList list: String?) -> [String] {
  list?.split(separator: ",").map { String($0.drop(while: \.isWhitespace)) } ?? []
}

/// Refuses the share of a part outside 0 ..< `most`, or without a share at all.
///
/// - Parameter allowsNone: whether the share may be 0
func requireShare(
  _ option: String, _ share: Double, below most: Double = 1, allowsNone: Bool = false
) throws {
  guard share < most, allowsNone ? share >= 0 : share > 0 else {
    let limit = most == 1 ? "1" : "\(most)"
    throw ValidationError(
      "--\(option) is \(share); expected a number "
        + (allowsNone ? "from 0 on and below \(limit)." : "between 0 and \(limit)."))
  }
}
