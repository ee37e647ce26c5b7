// SPDX-License-Identifier: Apache-2.0

/// How to read the lines of a table. Properties that are nil or automatic are detected and
/// reported.
public struct CSVFormat: Sendable {
  /// Whether the first column numbers the lines and holds no value.
  public enum IndexColumn: String, Sendable, CaseIterable {
    case auto, yes, no
  }

  /// C, numbers per time step.
  public var features = 1
  /// Whether the class is the first field of a line, and not the last.
  public var labelComesFirst = false
  /// The number of lines to skip at the top, the last of which names the columns; nil detects it.
  public var headerLines: Int?
  /// The field separator; nil detects it. A space means any number of spaces.
  public var separator: Unicode.Scalar?
  /// Whether the first column is an index and not a feature.
  public var index = IndexColumn.auto
  /// What happens to missing values.
  public var missing = MissingValues.refuse
  /// The share of sequences that become the test part if there is only one file.
  public var testShare = 0.2
  /// The column of the class, by its name in the header; nil for the first or last column.
  public var target: String?
  /// The names of the value columns; empty for all columns that have no other role.
  public var values: [String] = []
  /// The column that names the sequence of each line of a long table; nil for a wide one.
  public var id: String?
  /// The column that orders the lines of a sequence of a long table; nil for the order of the file.
  public var time: String?

  /// What to predict: a class, a number instead of the class, or, in a long table, a class on each
  /// line.
  public var task = SequenceArchive.Target.classes
  /// Whether sequences have no class.
  public var isUnlabelled = false
  /// Whether the whole table is one sequence with a time step on each line, and has no column that
  /// names it.
  public var isOneSequence = false

  public init() {}
}
