// SPDX-License-Identifier: Apache-2.0

import HDF5

/// Attributes of a user's own file that have the names of ours.
///
/// They do not change how the file is read, except that class names are used if they fit.
enum OwnAttributes {
  private static let names = ["classes", "scaling", "symbols", "feature_mean", "feature_std"]

  /// A note about those that are present and not used.
  static func notes(of files: DatasetFiles) -> [String] {
    guard !files.areOurs, let (path, file) = files.first,
      let all = try? file.attributeNames()
    else { return [] }
    let found = names.filter(all.contains)
    guard !found.isEmpty else { return [] }
    return [
      "\(path): `momentum-dist prepare` did not make this file, so its"
        + " \(found.count == 1 ? "attribute" : "attributes") \(found.joined(separator: ", "))"
        + " \(found.count == 1 ? "is" : "are") not used"
        + (found.contains("classes") ? "; dataset.classes sets the number of classes" : "")
    ]
  }

  /// The names of the classes if all files agree, and a note if they do not fit.
  static func classNames(
    of files: DatasetFiles, count: Int
  ) -> (names: [String]?, notes: [String]) {
    var known: [String]?
    for (path, file) in files {
      guard (try? file.attributeNames())?.contains("class_names") == true else { return (nil, []) }
      let found = (try? file.stringsAttribute("class_names")) ?? nil
      // One string is a list with a name on each line, like ours.
      let own =
        found?.count == 1 ? found?[0].split(separator: "\n").map(String.init) : found
      guard let own, known == nil || known == own, own.count == count,
        own.allSatisfy({ !$0.isEmpty }), Set(own).count == count
      else {
        let what = own.map { "\($0.count) names" } ?? "no strings"
        return (
          nil,
          [
            "\(path): its attribute class_names has \(what) for \(count) classes, or differs"
              + " from that of another file: it is not used"
          ]
        )
      }
      known = own
    }
    return (known, [])
  }
}
