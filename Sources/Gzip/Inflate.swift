// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Returns the decompressed content of data with zlib's own header (RFC 1950).
///
/// Memory is taken for the declared size at once, so a declared size that no such data can have is
/// refused before.
///
/// - Parameters:
///   - bytes: the compressed data
///   - isRaw: whether the data have no header, as in a zip archive (RFC 1951)
///   - path: for messages
///   - maximumBytes: the limit of the content's size
///   - declared: the size of the content according to its own first bytes; nil if they do not have
///     it. The rest is not decompressed
///
/// The corresponding C function is `inflate`.
public func inflated(
  _ bytes: ArraySlice<UInt8>, isRaw: Bool = false, path: String, maximumBytes: Int,
  declared: (ArraySlice<UInt8>) -> Int? = { _ in nil }
) throws(GzipError) -> [UInt8] {
  var stream = z_stream()
  guard (isRaw ? CZlib_inflateInitRaw(&stream) : CZlib_inflateInit(&stream)) == Z_OK else {
    throw .unreadable(path: path, reason: "zlib cannot be initialized")
  }
  defer { inflateEnd(&stream) }
  var input = Array(bytes)
  var output = [UInt8](repeating: 0, count: 1 << 16)
  var content: [UInt8] = []
  var end: Int?
  return try input.withUnsafeMutableBufferPointer { (input) throws(GzipError) in
    stream.next_in = input.baseAddress
    stream.avail_in = UInt32(clamping: input.count)
    while true {
      let (status, room) = output.withUnsafeMutableBufferPointer { output in
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        let status = CZlib.inflate(&stream, Z_NO_FLUSH)
        let room = Int(stream.avail_out)
        content += output[..<(output.count - room)]
        return (status, room)
      }
      guard content.count <= maximumBytes else {
        throw .tooLarge(path: path, maximumBytes: maximumBytes)
      }
      if end == nil, let size = declared(content.prefix(declaringBytes)) {
        guard size / mostBytesPerByte <= input.count else {
          throw .corrupt(path: path, reason: "it declares \(size) bytes, more than it can hold")
        }
        content.reserveCapacity(min(size, maximumBytes) + output.count)
        end = size
      }
      if let end, content.count > end { return content }
      switch status {
      case Z_STREAM_END: return content
      case Z_OK where room == 0 || stream.avail_in > 0: continue
      case Z_OK, Z_BUF_ERROR: throw .truncated(path: path)
      default:
        throw .corrupt(
          path: path,
          reason: stream.msg.map { String(cString: $0) } ?? "zlib error \(status)")
      }
    }
  }
}

/// The most bytes that a compressed byte can stand for: in two bits, a copy of the last 258 bytes.
private let mostBytesPerByte = 1032
