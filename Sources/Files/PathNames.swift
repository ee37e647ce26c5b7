// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif
import Foundation

extension DurableFiles {
  /// A path that does not exist, with the nearest name in its folder: "a/x.csv" for "a/x.cvs"; nil if
  /// none is near.
  ///
  /// - Parameters:
  ///   - path: the path that was given
  ///   - isMeant: whether a name in the folder may be meant
  public static func nearest(
    to path: String, where isMeant: (String) -> Bool = { _ in true }
  ) -> String? {
    let folder = parent(of: path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return nearestWord(to: lastName(of: path), among: names.filter(isMeant)).map { name in
      path.contains("/") ? "\(folder == "/" ? "" : folder)/\(name)" : name
    }
  }

  /// The last name of a path: `c` of `a/b/c` and of `a/b/c/`; `/` of the root.
  ///
  /// Foundation's own functions trap on paths of one character.
  public static func lastName(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? (path.isEmpty ? "" : "/")
  }

  /// The path without slashes at its end; `/` stays.
  public static func withoutLastSlashes(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// A name without its ending: `run` of `run.yaml`, `..` of `...yaml`, and `.yaml` of itself.
  public static func stem(of name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// The path without links, `.` and `..`; of a file that does not exist, its name in such a folder.
  ///
  /// The corresponding C function is `realpath`.
  public static func realPath(of path: String) -> String {
    func real(_ path: String) -> String? {
      guard let name = realpath(path, nil) else { return nil }
      defer { free(name) }
      return String(cString: name)
    }
    if let whole = real(path) { return whole }
    guard let folder = real(parent(of: path)) else { return path }
    return (folder == "/" ? "" : folder) + "/" + lastName(of: path)
  }
}
