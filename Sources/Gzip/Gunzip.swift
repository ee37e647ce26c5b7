// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// Returns the decompressed content of a gzip file whose first bytes, `start`, were read already.
///
/// The corresponding C function is `inflate`.
func gunzip(
  _ start: [UInt8], then reader: FileReader, maximumBytes: Int,
  declared: (ArraySlice<UInt8>) -> Int?
) throws(GzipError) -> [UInt8] {
  var inflater = try Inflater(reader.path)
  defer { inflater.end() }

  var content: [UInt8] = []
  var input = start
  while !input.isEmpty {
    let isWhole = try inflater.inflate(
      &input, into: &content, maximumBytes: maximumBytes, declared: declared)
    // Data after the declared content are not needed, and may be endless.
    if isWhole { return content }
    input = Array(try reader.next())
  }
  guard inflater.isBetweenMembers else { throw .truncated(path: reader.path) }
  return content
}

/// The state of zlib between two pieces of a file.
private struct Inflater {
  /// A Boolean value that tells whether the last gzip member is complete.
  private(set) var isBetweenMembers = false

  private let path: String
  // zlib's own state points back to the stream, so the stream must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var output = [UInt8](repeating: 0, count: 1 << 18)
  private var isInPadding = false

  init(_ path: String) throws(GzipError) {
    self.path = path
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard CZlib_inflateInitGzip(stream) == Z_OK else {
      stream.deallocate()
      throw .unreadable(path: path, reason: "zlib cannot be initialized")
    }
  }

  func end() {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Decompresses all of `input` and appends the result to `content`.
  ///
  /// - Returns: whether there is more than the declared content; the rest is not decompressed
  mutating func inflate(
    _ input: inout [UInt8], into content: inout [UInt8], maximumBytes: Int,
    declared: (ArraySlice<UInt8>) -> Int?
  ) throws(GzipError) -> Bool {
    let path = path
    return try input.withUnsafeMutableBufferPointer { (input) throws(GzipError) in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = UInt32(input.count)
      while true {
        if isBetweenMembers, try !startMember() { return false }
        let status = inflateStep(appendingTo: &content)
        guard content.count <= maximumBytes else {
          throw .tooLarge(path: path, maximumBytes: maximumBytes)
        }
        if let end = declared(content.prefix(declaringBytes)), content.count > end { return true }
        switch status {
        case Z_STREAM_END:
          isBetweenMembers = true
        case Z_OK, Z_BUF_ERROR:
          // Room left in the output means that the input is used up.
          if stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return false }
        default:
          throw .corrupt(
            path: path,
            reason: stream.pointee.msg.map { String(cString: $0) }
              ?? "zlib error \(status)")
        }
      }
    }
  }

  /// Runs zlib once and returns its status.
  private mutating func inflateStep(appendingTo content: inout [UInt8]) -> CInt {
    output.withUnsafeMutableBufferPointer { output in
      stream.pointee.next_out = output.baseAddress
      stream.pointee.avail_out = UInt32(output.count)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      content += output[..<(output.count - Int(stream.pointee.avail_out))]
      return status
    }
  }

  /// Prepares for the member that follows the last one.
  ///
  /// - Returns: whether there is input left; zero bytes after the last member are padding.
  private mutating func startMember() throws(GzipError) -> Bool {
    while stream.pointee.avail_in > 0 {
      if stream.pointee.next_in.pointee == 0 {
        isInPadding = true
        stream.pointee.next_in += 1
        stream.pointee.avail_in -= 1
      } else if isInPadding {
        throw .corrupt(path: path, reason: "there is other data after it")
      } else {
        inflateReset(stream)
        isBetweenMembers = false
        return true
      }
    }
    return false
  }
}
