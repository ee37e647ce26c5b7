// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Small images in files, written by hand or once by Pillow.
public enum SampleImages {
  /// A PNG file.
  ///
  /// - Parameters:
  ///   - color: 0 gray, 2 colors, 3 a palette, 4 gray with alpha, 6 colors with alpha
  ///   - rows: the bytes of each row
  ///   - more: chunks before the pixels, by name
  ///   - size: what the header declares instead of the truth
  public static func png(
    width: Int, color: UInt8, bits: UInt8 = 8, rows: [[UInt8]], more: [(String, [UInt8])] = [],
    size: (width: Int, height: Int)? = nil
  ) -> Data {
    var header = big(size?.width ?? width)
    header += big(size?.height ?? rows.count)
    header += [bits, color, 0, 0, 0]
    let raw: [UInt8] = rows.flatMap { row -> [UInt8] in [0] + row }
    // One block that is stored as it is.
    let length: [UInt8] = [UInt8(raw.count & 255), UInt8(raw.count >> 8)]
    var packed: [UInt8] = [0x78, 0x01, 1]
    packed += length
    for byte in length { packed.append(~byte) }
    packed += raw
    packed += adler32(raw)
    var file = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    let chunks: [(String, [UInt8])] = [("IHDR", header)] + more + [("IDAT", packed), ("IEND", [])]
    for (name, content) in chunks {
      let body: [UInt8] = Array(name.utf8) + content
      file.append(contentsOf: big(content.count))
      file.append(contentsOf: body)
      file.append(contentsOf: big(Int(crc32(body))))
    }
    return file
  }

  /// A PNG file of one color, of three numbers.
  public static func plain(_ color: [UInt8], width: Int, height: Int) -> Data {
    png(
      width: width, color: 2,
      rows: (0..<height).map { _ in (0..<width).flatMap { _ in color } })
  }

  /// JPEG files of 16 x 12 pixels, red rising to the right and green down, quality 80. Pillow reads
  /// `rgb`, `progressive` and `rotated` as the same numbers.
  public static let gray = jpeg(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/wAALCAAMABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACAf/xAAXEAADAQAAAAAA
    AAAAAAAAAAAAB0OB/9oACAEBAAA/AI+tpYKtbSwKi2lgq1tLD//Z
    """)
  public static let rgb = jpeg(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo
    KCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAMABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABgf/xAAbEAAC
    AQUAAAAAAAAAAAAAAAAABSIEBiMyof/EABUBAQEAAAAAAAAAAAAAAAAAAAME/8QAGREAAgMBAAAAAAAAAAAAAAAAAAMC
    BAYh/9oADAMBAAIRAxEAPwCVJbR1x8HqW0dcfBqlW00YD1KspowJkW5AZnSu4f/Z
    """)
  public static let progressive = jpeg(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYW
    ICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo
    KCgoKCgoKCgoKCgoKCgoKCgoKCj/wgARCAAMABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAUAQEA
    AAAAAAAAAAAAAAAAAAAD/9oADAMBAAIQAxAAAAGUfafI/wD/xAAXEAEBAQEAAAAAAAAAAAAAAAADAAIE/9oACAEBAAEF
    Ah5IeSE8wnm//8QAFhEBAQEAAAAAAAAAAAAAAAAABQAC/9oACAEDAQE/ATEt3//EABcRAAMBAAAAAAAAAAAAAAAAAAAB
    AgP/2gAIAQIBAT8BjVn/xAAWEAEBAQAAAAAAAAAAAAAAAAAxABD/2gAIAQEABj8CI3//xAAWEAEBAQAAAAAAAAAAAAAA
    AAAAITH/2gAIAQEAAT8hzMyaJo//2gAMAwEAAgADAAAAEK//xAAVEQEBAAAAAAAAAAAAAAAAAAAAIf/aAAgBAwEBPxCJ
    /8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxBv/8QAFhABAQEAAAAAAAAAAAAAAAAA8QAQ/9oACAEBAAE/EAID
    St//2Q==
    """)
  public static let cmyk = jpeg(
    """
    /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAs
    ICMmJykqKRkfLTAtKDAlKCko/8AAFAgADAAQBEMRAE0RAFkRAEsRAP/EABcAAAMBAAAAAAAAAAAAAAAAAAAHCAT/xAAi
    EAABAQYHAAAAAAAAAAAAAAAAIgMEBgdDgQUVFzJTY6H/2gAOBEMATQBZAEsAAD8AT8tqVhZabdPgn4bwLYgqkquW1Kwa
    bdPg1YbwLYgCVJbUrFaZE4cRihtzYoSBVctqVgyJw4hqw25sUJA//9k=
    """)
  /// `rgb` with the orientation 6 in EXIF.
  public static let rotated = jpeg(
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAYEBQYFBAYG
    BQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMK
    ChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAMABADASIA
    AhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABgf/xAAbEAACAQUAAAAAAAAAAAAAAAAABSIEBiMyof/EABUBAQEAAAAA
    AAAAAAAAAAAAAAME/8QAGREAAgMBAAAAAAAAAAAAAAAAAAMCBAYh/9oADAMBAAIRAxEAPwCVJbR1x8HqW0dcfBqlW00Y
    D1KspowJkW5AZnSu4f/Z
    """)

  private static func jpeg(_ text: String) -> Data {
    Data(base64Encoded: text.split(whereSeparator: \.isNewline).joined())!
  }

  private static func big(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  private static func adler32(_ bytes: [UInt8]) -> [UInt8] {
    var (a, b) = (1, 0)
    for byte in bytes {
      a = (a + Int(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return big(b << 16 | a)
  }

  /// CRC-32 as in PNG and gzip files.
  public static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = (crc >> 1) ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return ~crc
  }
}
