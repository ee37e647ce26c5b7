// SPDX-License-Identifier: Apache-2.0

import Datasets
import Files

extension Inspection {
  /// The earliest and the latest time of the steps of each part.
  mutating func addTimes(_ times: [DatasetFile.Part: ClosedRange<Double>]) {
    let parts = DatasetFile.Part.allCases.compactMap { part in times[part].map { (part, $0) } }
    add(
      "times",
      Dictionary(
        uniqueKeysWithValues: parts.map { ($0.rawValue, [$1.lowerBound, $1.upperBound]) }),
      text: "times: "
        + parts.map { "\($0.rawValue) \($1.lowerBound) to \($1.upperBound)" }
        .joined(separator: ", "))
  }

  /// The contents of an HDF5 file that `prepare` did not make.
  static func listing(of path: String, verifying: Bool) throws -> Inspection {
    let listing = try FileListing(path, readingAll: verifying)
    var report = Inspection()
    report.add("kind", "hdf5", text: "kind: HDF5 file, not made by `momentum-dist prepare`")
    report.add("path", path)
    report.add(
      "datasets",
      listing.entries.map { entry in
        var fields: [String: Any] = [
          "name": entry.name, "type": entry.type, "shape": entry.shape, "layout": entry.layout,
          "filters": entry.filters,
        ]
        if let problem = entry.problem { fields["problem"] = problem }
        return fields
      }, text: list("datasets", listing.entries.map(\.text)))
    if !listing.isComplete {
      report.add(
        "complete", false,
        text: "the file has more names than are examined; only these datasets are listed")
    }
    report.add(
      "trainable", listing.trainable,
      text: listing.trainable.isEmpty
        ? "trainable: "
          + (listing.refusal.map { "not yet: \($0)".visible }
            ?? "no datasets here are sequences [N, T, C] or [N, T] with a class for each")
        : list("train it with", listing.trainable.map { options($0).visible }))
    if let refusal = listing.refusal { report.add("refusal", refusal, text: "") }
    if verifying { report.add("verified", true) }
    return report
  }

  private static func list(_ name: String, _ lines: [String]) -> String {
    "\(name):" + lines.map { "\n  \($0)" }.joined()
  }

  /// Keys as options of `train`, quoted for a shell.
  private static func options(_ keys: [String]) -> String {
    keys.map { "--set \($0.shellWord)" }.joined(separator: " ")
  }
}
