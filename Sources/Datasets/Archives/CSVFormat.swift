// SPDX-License-Identifier: Apache-2.0

/// How to read the lines of a table. What is nil or automatic is detected and reported.
public struct CSVFormat: Sendable {
  /// Whether the first column counts the lines and holds no value.
  public enum IndexColumn: String, Sendable, CaseIterable {
    case auto, yes, no
  }

  /// C, numbers per time step.
  public var features = 1
  /// Whether the class is the first field of a line, or else the last.
  public var labelComesFirst = false
  /// Lines to skip at the top, the last of which names the columns; nil to detect them.
  public var headerLines: Int?
  /// The field separator; a space stands for any number of spaces; nil to detect it.
  public var separator: Unicode.Scalar?
  public var index = IndexColumn.auto
  public var missing = MissingValues.refuse
  /// The share of sequences held out as the test part where there is one file only.
  public var testShare = 0.2
  /// The column of the class, by its name in the header; nil for the first or last column.
  public var target: String?
  /// The names of the value columns; empty for all columns that have no other role.
  public var values: [String] = []
  /// The column that names the sequence of each line of a long table; nil for a wide one.
  public var id: String?
  /// The column that orders the lines of a sequence of a long table; nil for the order of the file.
  public var time: String?

  /// What is to be predicted: a class, a number instead of the class, or, in a long table, a class
  /// on each line.
  public var task = SequenceArchive.Target.classes
  /// Whether sequences have no class.
  public var isUnlabelled = false
  /// Whether the whole table is one sequence with a time step on each line, without a column for it.
  public var isOneSequence = false

  public init() {}
}
