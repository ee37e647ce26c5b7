// SPDX-License-Identifier: Apache-2.0

import Foundation
import ImageFiles
import TestSupport
import Testing

@Suite struct ImageFileTests {
  private func decode(_ data: Data) throws -> ImageFile {
    try ImageFile(decoding: Array(data), path: "x.png")
  }

  /// The message about bytes that cannot be used.
  private func problem(_ data: Data) throws -> String {
    let error = #expect(throws: ImageFileError.self) { try decode(data) }
    let text = try #require(error).description
    #expect(!text.contains("\n") && text.hasPrefix("x.png: ") && text.contains("; "))
    return text
  }

  /// A row of two pixels, and the expected result.
  struct Row {
    let color: UInt8
    let bits: UInt8
    let bytes: [UInt8]
    let expected: [UInt8]
    var more: [(String, [UInt8])] = []

    init(
      _ color: UInt8, _ bits: UInt8, _ bytes: [UInt8], _ expected: [UInt8],
      _ more: [(String, [UInt8])] = []
    ) {
      (self.color, self.bits, self.bytes, self.expected) = (color, bits, bytes, expected)
      self.more = more
    }
  }

  static let palette: [(String, [UInt8])] = [
    ("PLTE", [10, 20, 30, 40, 50, 60]), ("tRNS", [0, 255]),
  ]
  static let rows: [Row] = [
    Row(0, 8, [7, 250], [7, 250]),
    Row(2, 8, [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
    // A bit is black or white; four bits are sixteen shades.
    Row(0, 1, [0b0100_0000], [0, 255]),
    Row(0, 4, [0x0f], [0, 255]),
    // 16 bits are scaled: 0x0180 is 384 * 255 / 65535 = 1.49, and 0x0182 is 1.502.
    Row(0, 16, [0x01, 0x80, 0x01, 0x82], [1, 2]),
    // Transparency is dropped: the color beneath it stays.
    Row(4, 8, [9, 0, 8, 255], [9, 8]),
    Row(6, 8, [1, 2, 3, 0, 4, 5, 6, 255], [1, 2, 3, 4, 5, 6]),
    Row(3, 8, [1, 0], [40, 50, 60, 10, 20, 30], palette),
    Row(0, 8, [5, 6], [5, 6], [("tRNS", [0, 5])]),
    // A gamma does not change numbers.
    Row(0, 8, [100, 200], [100, 200], [("gAMA", [0, 0, 0x20, 0])]),
  ]

  @Test(arguments: 0..<rows.count) func colorsOfEveryKindOfPNG(_ number: Int) throws {
    let row = Self.rows[number]
    let image = try decode(
      SampleImages.png(
        width: 2, color: row.color, bits: row.bits, rows: [row.bytes], more: row.more))
    #expect((image.height, image.width) == (1, 2))
    #expect(image.channels == row.expected.count / 2)
    #expect(image.pixels == row.expected)
  }

  /// The checksums are those of Pillow's numbers.
  @Test func pixelsOfJPEGAreThoseOfPillow() throws {
    for (data, channels, sum) in [
      (SampleImages.gray, 1, 0xfc20_9ed5 as UInt32), (SampleImages.rgb, 3, 0x098d_9230),
      (SampleImages.progressive, 3, 0x098d_9230), (SampleImages.rotated, 3, 0x098d_9230),
      (SampleImages.cmyk, 3, 0x683d_3f33),
    ] {
      let image = try decode(data)
      #expect((image.height, image.width, image.channels) == (12, 16, channels))
      #expect(SampleImages.crc32(image.pixels) == sum)
    }
  }

  @Test func hostileFilesAreRefused() throws {
    #expect(try problem(Data()).contains("is empty"))
    #expect(try problem(Data("GIF89a".utf8)).contains("is not a PNG or JPEG file"))
    let png = SampleImages.plain([1, 2, 3], width: 9, height: 7)
    for count in [4, 8, 20, 33, 60, png.count - 13] { _ = try problem(png.prefix(count)) }
    let huge = SampleImages.png(
      width: 1, color: 0, rows: [[0]], size: (width: 65_535, height: 65_535))
    #expect(try problem(huge).contains("declares 65535 x 65535 pixels"))
    _ = try problem(SampleImages.png(width: 1, color: 0, rows: [[0]], size: (0, 1)))
    _ = try problem(SampleImages.png(width: 1, color: 0, rows: [[0]], size: (2, 2)))
    _ = try problem(SampleImages.png(width: 2, color: 3, rows: [[0, 0]]))  // without its palette
    var wrong = png
    wrong[wrong.count - 25] ^= 1  // a pixel: the checksum is another
    _ = try problem(wrong)
    for data in [SampleImages.rgb, SampleImages.progressive, SampleImages.cmyk] {
      for count in [2, 30, data.count / 2, data.count - 12] { _ = try problem(data.prefix(count)) }
    }
    var large = SampleImages.rgb
    let start = try #require(large.range(of: Data([0xff, 0xc0]))).lowerBound
    for place in start + 5..<start + 9 { large[place] = 0xff }
    #expect(try problem(large).contains("65500"))  // libjpeg's own limit
    for place in [start + 5, start + 7] { (large[place], large[place + 1]) = (0xfd, 0xe8) }
    #expect(try problem(large).contains("declares 65000 x 65000 pixels"))
  }

  @Test func foldersAndMissingFiles() throws {
    try Places.withTemporaryFolder { folder in
      for path in [folder, "\(folder)/none.png"] {
        let error = #expect(throws: ImageFileError.self) { try ImageFile(contentsOf: path) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path))
      }
    }
  }

  /// Numbers that look random: i² · 7 + 13 i.
  private func pattern(_ height: Int, _ width: Int, _ channels: Int) -> ImageFile {
    let pixels = (0..<height * width * channels).map { place -> UInt8 in
      UInt8(truncatingIfNeeded: place * place * 7 + place * 13)
    }
    return ImageFile(height: height, width: width, channels: channels, pixels: pixels)
  }

  /// The checksums are those of Pillow's `resize(..., BILINEAR)`; of the third, with two calls, for
  /// columns first.
  @Test func resizingGivesTheBitsOfPillow() {
    for (shape, size, sum) in [
      ([23, 37, 3], [8, 13], 0x7e3f_1bfb as UInt32), ([23, 37, 3], [31, 50], 0xbc32_9c83),
      ([40, 9, 1], [7, 30], 0x3202_72bb), ([5, 5, 3], [5, 2], 0xe8e0_beb4),
      ([64, 3, 1], [1, 3], 0x6188_728a),
    ] {
      let image = pattern(shape[0], shape[1], shape[2]).resized(height: size[0], width: size[1])
      #expect((image.height, image.width, image.channels) == (size[0], size[1], shape[2]))
      #expect(SampleImages.crc32(image.pixels) == sum, "\(shape) to \(size)")
    }
  }

  /// The checksums are those of torchvision's `Resize` and `CenterCrop`, on Pillow's images.
  @Test func fittingScalesTheShorterSideAndCutsTheMiddle() {
    for (shape, short, size, sum) in [
      ([23, 37, 3], 12, 9, 0xfa73_505f as UInt32), ([37, 22, 1], 8, 8, 0x81a8_2f00),
      ([30, 47, 3], 16, 11, 0xac9d_ba62),
    ] {
      let image = pattern(shape[0], shape[1], shape[2])
        .fitted(ImageFitting(size: size, shorterSide: short))
      #expect((image.height, image.width) == (size, size))
      #expect(SampleImages.crc32(image.pixels) == sum, "\(shape)")
    }
    let colors = pattern(5, 7, 3)
    #expect(colors.fitted(ImageFitting()) == colors)
    #expect(SampleImages.crc32(colors.withChannels(1).pixels) == 0x8984_f9a5)
    let gray = pattern(2, 2, 1).withChannels(3)
    #expect(gray.pixels == [0, 0, 0, 20, 20, 20, 54, 54, 54, 102, 102, 102])
  }

  /// Damage is refused in one line, or changes pixels.
  @Test(arguments: ["png", "jpg", "progressive"]) func noDamageIsFatal(kind: String) throws {
    let good =
      switch kind {
      case "png": SampleImages.plain([1, 2, 3], width: 9, height: 7)
      case "jpg": SampleImages.rgb
      default: SampleImages.progressive
      }
    let tally = ByteMutator.campaign(kind, seed: 5, good: good) { data in
      let image = try ImageFile(decoding: Array(data), path: "x")
      #expect(image.pixels.count == image.height * image.width * image.channels)
    } judge: { error, number in
      #expect(error is ImageFileError, "\(kind) \(number): \(error)")
      #expect(!"\(error)".contains("\n"), "\(kind) \(number): \(error)")
    }
    #expect(tally.refused > ByteMutator.count / 20, "\(tally)")
  }
}
