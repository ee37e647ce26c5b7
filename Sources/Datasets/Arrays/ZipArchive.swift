// SPDX-License-Identifier: Apache-2.0

import Files
import Gzip

/// The members of a zip archive, stored or deflated (PKWARE's APPNOTE, with its 64-bit sizes).
struct ZipArchive {
  let path: String
  /// The members by name, in the order of the archive.
  let members: [(name: String, entry: Entry)]
  private let bytes: [UInt8]

  /// The location of a member.
  struct Entry {
    var method: Int
    var packedSize: Int
    var size: Int
    var checksum: UInt32
    var offset: Int
  }

  private static let cure = "the file is damaged or not a zip archive: save it again"

  init(_ bytes: [UInt8], path: String) throws(DatasetError) {
    (self.bytes, self.path) = (bytes, path)
    let reader = Reader(bytes: bytes, path: path)
    var (count, offset) = try Self.directory(reader)
    var members: [(name: String, entry: Entry)] = []
    while count > 0 {
      guard try reader.number(offset, 4) == 0x0201_4b50 else { throw reader.damaged }
      let name = try reader.number(offset + 28, 2)
      let extra = try reader.number(offset + 30, 2)
      let comment = try reader.number(offset + 32, 2)
      var entry = Entry(
        method: try reader.number(offset + 10, 2), packedSize: try reader.number(offset + 20, 4),
        size: try reader.number(offset + 24, 4),
        checksum: UInt32(truncatingIfNeeded: try reader.number(offset + 16, 4)),
        offset: try reader.number(offset + 42, 4))
      try Self.readLarge(&entry, offset + 46 + name, extra, reader)
      let text = try reader.slice(offset + 46, name)
      members.append((String(decoding: text, as: UTF8.self), entry))
      offset += 46 + name + extra + comment
      count -= 1
    }
    self.members = members
  }

  /// The number of members, and the start of their list.
  private static func directory(
    _ reader: Reader
  ) throws(DatasetError) -> (count: Int, offset: Int) {
    let bytes = reader.bytes
    let earliest = max(0, bytes.count - 22 - 65_535)
    guard bytes.count >= 22,
      let end = (earliest...bytes.count - 22).last(where: {
        bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4b, 5, 6])
      })
    else { throw reader.damaged }
    let (count, offset) = (try reader.number(end + 10, 2), try reader.number(end + 16, 4))
    guard count == 0xffff || offset == 0xffff_ffff else { return (count, offset) }
    guard end >= 20, try reader.number(end - 20, 4) == 0x0706_4b50 else { throw reader.damaged }
    let large = try reader.number(end - 12, 8)
    guard try reader.number(large, 4) == 0x0606_4b50 else { throw reader.damaged }
    return (try reader.number(large + 32, 8), try reader.number(large + 48, 8))
  }

  /// Reads sizes of more than 32 bits from the extra fields of a member.
  private static func readLarge(
    _ entry: inout Entry, _ start: Int, _ length: Int, _ reader: Reader
  ) throws(DatasetError) {
    var place = start
    while place + 4 <= start + length {
      let (kind, size) = (try reader.number(place, 2), try reader.number(place + 2, 2))
      if kind == 1 {
        var field = place + 4
        if entry.size == 0xffff_ffff {
          entry.size = try reader.number(field, 8)
          field += 8
        }
        if entry.packedSize == 0xffff_ffff {
          entry.packedSize = try reader.number(field, 8)
          field += 8
        }
        if entry.offset == 0xffff_ffff { entry.offset = try reader.number(field, 8) }
      }
      place += 4 + size
    }
  }

  /// The content of a member, compared with its checksum.
  func content(of entry: Entry, named name: String) throws(DatasetError) -> [UInt8] {
    let reader = Reader(bytes: bytes, path: path)
    guard try reader.number(entry.offset, 4) == 0x0403_4b50 else { throw reader.damaged }
    let start =
      entry.offset + 30 + (try reader.number(entry.offset + 26, 2))
      + (try reader.number(entry.offset + 28, 2))
    let packed = try reader.slice(start, entry.packedSize)
    let content = try unpacked(packed, entry, name)
    let checksum = CRC32.of(content.span)
    guard content.count == entry.size, checksum == entry.checksum else {
      throw DatasetError(path, "\(name) does not have its checksum", cure: Self.cure)
    }
    return content
  }

  private func unpacked(
    _ packed: ArraySlice<UInt8>, _ entry: Entry, _ name: String
  ) throws(DatasetError) -> [UInt8] {
    switch entry.method {
    case 0: return Array(packed)
    case 8:
      do {
        return try inflated(
          packed, isRaw: true, path: path, maximumBytes: min(entry.size, Self.largest))
      } catch {
        throw DatasetError(path, "\(name) cannot be unpacked (\(error))", cure: Self.cure)
      }
    default:
      throw DatasetError(
        path, "\(name) is compressed by method \(entry.method)",
        cure: "save it with numpy.savez or numpy.savez_compressed")
    }
  }

  /// The most bytes of a member.
  private static let largest = 1 << 36

  /// Reads little-endian numbers, within bounds.
  private struct Reader {
    let bytes: [UInt8]
    let path: String

    var damaged: DatasetError {
      DatasetError(path, "is not a whole zip archive", cure: ZipArchive.cure)
    }

    func slice(_ offset: Int, _ count: Int) throws(DatasetError) -> ArraySlice<UInt8> {
      guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
        throw damaged
      }
      return bytes[offset..<offset + count]
    }

    func number(_ offset: Int, _ size: Int) throws(DatasetError) -> Int {
      let number = try slice(offset, size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard let number = Int(exactly: number), number < 1 << 48 else { throw damaged }
      return number
    }
  }
}
