// SPDX-License-Identifier: Apache-2.0

/// Returns the content of a file, decompressed if it is a gzip file.
///
/// A file is a gzip file if it begins with the bytes 1f 8b, regardless of its name. If it consists
/// of several gzip members, their contents follow one another (RFC 1952, section 2.2).
///
/// - Parameters:
///   - path: the path of the file
///   - maximumBytes: the limit of the content's size, which guards against a small file that
///     decompresses to a very large one
///   - declared: the size of the content according to its own first bytes; nil if they do not have
///     it. Little more than that is read: the caller sees that there is more, but not how much
public func readPossiblyGzipped(
  _ path: String, maximumBytes: Int = 1 << 32, declared: (ArraySlice<UInt8>) -> Int? = { _ in nil }
) throws(GzipError) -> [UInt8] {
  let reader = try FileReader(path)
  var start: [UInt8] = []
  var piece = try reader.next()
  // A pipe may deliver only its first byte.
  while start.count + piece.count < 2, !piece.isEmpty {
    start += piece
    piece = try reader.next()
  }
  start += piece

  if start.starts(with: [0x1f, 0x8b]) {
    return try gunzip(start, then: reader, maximumBytes: maximumBytes, declared: declared)
  }
  var content = start
  let end = declared(content.prefix(declaringBytes))
  while content.count <= maximumBytes {
    if let end, content.count > end { return content }
    let piece = try reader.next()
    if piece.isEmpty { return content }
    content += piece
  }
  throw .tooLarge(path: path, maximumBytes: maximumBytes)
}

/// The first bytes of a content that are enough to determine its size.
let declaringBytes = 256
