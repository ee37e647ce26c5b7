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

extension GzipError: CustomStringConvertible {
  /// The error on one line.
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path): there is no such file"
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .truncated(let path):
      "\(path): the gzip data ends too early; download or copy the file again"
    case .corrupt(let path, let reason):
      "\(path): the gzip data is corrupt: \(reason); download or copy the file again"
    case .tooLarge(let path, let maximumBytes):
      "\(path): holds more than the limit of \(maximumBytes) bytes"
    }
  }
}
