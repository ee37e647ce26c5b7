// SPDX-License-Identifier: Apache-2.0

import Files

/// A file that could not be read as plain or gzip data.
public enum GzipError: Error, Hashable, Sendable {
  /// There is no such file.
  case missing(path: String)

  /// The system does not let the file be read.
  case unreadable(path: String, reason: String)

  /// The file ends inside its gzip data.
  case truncated(path: String)

  /// The gzip data is damaged, or something else follows it.
  case corrupt(path: String, reason: String)

  /// The file holds more than the limit, after decompression.
  case tooLarge(path: String, maximumBytes: Int)
}

extension GzipError: FileProblem {
  public var path: String {
    switch self {
    case .missing(let path), .unreadable(let path, _), .truncated(let path), .corrupt(let path, _),
      .tooLarge(let path, _):
      path
    }
  }

  /// What is wrong, without the path.
  public var problem: String {
    switch self {
    case .missing: "no such file"
    case .unreadable(_, let reason): "cannot be read: \(reason)"
    case .truncated: "the gzip data ends too early"
    case .corrupt(_, let reason): "the gzip data is corrupt: \(reason)"
    case .tooLarge(_, let maximumBytes): "holds more than the limit of \(maximumBytes) bytes"
    }
  }

  public var cure: String {
    switch self {
    case .missing, .unreadable: "name a file that can be read with --from"
    case .truncated, .corrupt: "download or copy it again"
    case .tooLarge: "cut it into smaller files"
    }
  }

  /// The error without advice, for a message that adds its own.
  public var description: String { "\(path): \(problem)" }
}
