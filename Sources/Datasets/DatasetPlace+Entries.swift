// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

extension DatasetPlace {
  /// The paths and patterns that `files` lists. A comma separates two of them, unless it is part of
  /// the name of a file that exists.
  var entries: [String] {
    let parts = files.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    var entries: [String] = []
    var start = 0
    while start < parts.count {
      func entry(_ count: Int) -> String {
        parts[start..<start + count].joined(separator: ",").trimmingCharacters(in: .whitespaces)
      }
      // The shortest match is the name of a file, so a list of many files costs one check of each.
      let most = min(parts.count - start, Self.mostCommas + 1)
      let count = (1...most).first { Self.namesFiles(entry($0)) } ?? 1
      if !entry(count).isEmpty { entries.append(entry(count)) }
      start += count
    }
    return entries
  }

  /// The most commas that a file's path can have.
  private static let mostCommas = 16

  private static func namesFiles(_ entry: String) -> Bool {
    guard !FileManager.default.fileExists(atPath: entry) else {
      return !DurableFiles.isFolder(entry)
    }
    return entry.contains { "*?[".contains($0) } && !DurableFiles.names(fitting: entry).isEmpty
  }
}
