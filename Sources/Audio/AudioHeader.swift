// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Refuses files that are empty, truncated, or compressed by `shorten`. libsndfile would read them
/// only in part, or would refuse them without telling how to fix them.
func checkHeader(of path: String) throws(AudioError) {
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
    throw AudioError(path, "no such file", cure: "check the path")
  }
  let attributes = try? FileManager.default.attributesOfItem(
    atPath: (path as NSString).resolvingSymlinksInPath)
  guard attributes?[.type] as? FileAttributeType == .typeRegular else {
    throw AudioError(path, "is not a regular file", cure: "name a sound file")
  }
  guard let handle = FileHandle(forReadingAtPath: path) else {
    throw AudioError(path, "cannot be opened", cure: "check its permissions")
  }
  defer { try? handle.close() }
  let file = HeaderReader(path: path, size: attributes?[.size] as? Int ?? 0, handle: handle)
  guard file.size > 0 else {
    throw AudioError(path, "is empty", cure: "remove it, or copy it again")
  }
  let magic = file.bytes(at: 0, count: 7)
  if magic.elementsEqual("NIST_1A".utf8) {
    try file.checkSphere()
  } else if magic.starts(with: "RIFF".utf8) {
    try file.checkRIFF()
  } else if magic.starts(with: "ajkg".utf8) {
    throw AudioError(path, "is compressed by shorten", cure: "decompress it with `shorten -x`")
  }
}

/// Reads the header of a file.
private struct HeaderReader {
  let path: String
  let size: Int
  let handle: FileHandle

  /// The bytes at a place, fewer at the end of the file.
  func bytes(at offset: Int, count: Int) -> [UInt8] {
    do {
      try handle.seek(toOffset: UInt64(offset))
      return Array(try handle.read(upToCount: count) ?? Data())
    } catch {
      return []
    }
  }

  /// A SPHERE header is text: the magic, its own size, and lines such as
  /// `sample_count -i 46797`, up to `end_head`.
  func checkSphere() throws(AudioError) {
    let text = String(decoding: bytes(at: 0, count: 1 << 14), as: UTF8.self)
    var fields: [Substring: Substring] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("end_head") { break }
      let words = line.split(separator: " ", maxSplits: 2)
      if words.count == 3 { fields[words[0]] = words[2] }
    }
    // SPHERE 1 had no sample_coding and named the compression as the order of bytes.
    let coding = ["sample_coding", "sample_byte_format"].compactMap { fields[$0]?.lowercased() }
      .joined(separator: " ")
    for method in ["shortpack", "wavpack", "shorten"] where coding.contains(method) {
      // sph2pipe supports only shorten.
      let command = method == "shorten" ? "sph2pipe -f wav IN OUT" : "w_decode -o pcm IN OUT"
      throw AudioError(
        path, "is a SPHERE file compressed by \(method)",
        cure:
          "decompress it with `\(command)`\(method == "shorten" ? "" : " of NIST's SPHERE tools")"
      )
    }
    func number(_ name: Substring) -> Int? {
      fields[name].flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    }
    // A file may leave fields out, as the header's rules allow; libsndfile then decides.
    guard let count = number("sample_count"), let bytesEach = number("sample_n_bytes"),
      case let channels = number("channel_count") ?? 1
    else { return }
    guard count >= 0, bytesEach > 0, channels > 0 else {
      throw AudioError(
        path, "declares \(count) samples of \(bytesEach) bytes in \(channels) channels",
        cure: "its header is damaged: copy it again")
    }
    let header = text.split(whereSeparator: \.isNewline).dropFirst().first
      .flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    if let header, !(0...size).contains(header) {
      throw AudioError(
        path, "declares a header of \(header) bytes in a file of \(size)",
        cure: "its header is damaged: copy it again")
    }
    try check(
      declared: count.multipliedOrMaximum(by: bytesEach).multipliedOrMaximum(by: channels),
      behind: header ?? 1024)
  }

  /// A RIFF file is a list of chunks: a name of four bytes, a size, and that many bytes; the sound
  /// is in the chunk `data`. Programs that write to a pipe set its size to 0 or 2³² - 1.
  func checkRIFF() throws(AudioError) {
    var offset = 12
    for _ in 0..<1000 {
      let chunk = bytes(at: offset, count: 8)
      guard chunk.count == 8 else { break }
      let length = chunk[4...].reversed().reduce(0) { $0 << 8 | Int($1) }
      if chunk.starts(with: "data".utf8) {
        if length > 0, length < 0xffff_ffff { try check(declared: length, behind: offset + 8) }
        return
      }
      offset += 8 + length + length % 2
    }
    throw AudioError(path, "ends before its sound begins", cure: "copy it again")
  }

  private func check(declared: Int, behind header: Int) throws(AudioError) {
    let found = max(size - header, 0)
    guard declared <= found else {
      throw AudioError.truncated(path, declared: declared, found: found)
    }
  }
}

extension Int {
  /// The product of two positive numbers, or the largest number if it overflows.
  fileprivate func multipliedOrMaximum(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? Int.max : product
  }
}
