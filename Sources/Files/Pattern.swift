// SPDX-License-Identifier: Apache-2.0

extension DurableFiles {
  /// A pattern for `glob` in which the leading folders that exist under their literal names are
  /// escaped: `runs[1]/*.h5` means the files of the folder `runs[1]` if there is one.
  static func escapingExistingFolders(of pattern: String) -> String {
    var parts = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    var folder = ""
    for index in parts.indices.dropLast() {
      folder += (index == 0 ? "" : "/") + parts[index]
      guard isFolder(folder.isEmpty ? "/" : folder) else { break }
      parts[index] = String(parts[index].flatMap { "*?[\\".contains($0) ? ["\\", $0] : [$0] })
    }
    return parts.joined(separator: "/")
  }
}
