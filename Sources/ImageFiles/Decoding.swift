// SPDX-License-Identifier: Apache-2.0

internal import CJPEG
internal import CPNG
import Foundation

/// Decodes a PNG file.
///
/// The corresponding C functions are `png_read_info` and `png_read_image`.
func decodePNG(_ bytes: [UInt8], _ path: String) throws(ImageFileError) -> ImageFile {
  var image = CPNG_image()
  guard CPNG_read(bytes, bytes.count, &image, nil, 0) == 0 else {
    throw damaged("PNG", path, &image.message)
  }
  try ImageFile.requireSize(image.height, image.width, path)
  var header = image
  var status: CInt = 0
  let count = Int(image.width) * Int(image.height) * Int(image.channels)
  let pixels = [UInt8](unsafeUninitializedCapacity: count) { pixels, made in
    status = CPNG_read(bytes, bytes.count, &header, pixels.baseAddress, count)
    made = status == 0 ? count : 0
  }
  guard status == 0 else { throw damaged("PNG", path, &header.message) }
  return ImageFile(
    height: Int(image.height), width: Int(image.width), channels: Int(image.channels),
    pixels: pixels)
}

/// Decodes a JPEG file. Four colors mean CMYK, stored inverted as by Adobe.
///
/// The corresponding C functions are `jpeg_read_header` and `jpeg_read_scanlines`.
func decodeJPEG(_ bytes: [UInt8], _ path: String) throws(ImageFileError) -> ImageFile {
  var image = CJPEG_image()
  guard CJPEG_read(bytes, bytes.count, &image, nil, 0) == 0 else {
    throw damaged("JPEG", path, &image.message)
  }
  try ImageFile.requireSize(image.height, image.width, path)
  var header = image
  var status: CInt = 0
  let count = Int(image.width) * Int(image.height) * Int(image.channels)
  var pixels = [UInt8](unsafeUninitializedCapacity: count) { pixels, made in
    status = CJPEG_read(bytes, bytes.count, &header, pixels.baseAddress, count)
    made = status == 0 ? count : 0
  }
  guard status == 0 else { throw damaged("JPEG", path, &header.message) }
  if image.channels == 4 { pixels = withoutBlack(pixels) }
  return ImageFile(
    height: Int(image.height), width: Int(image.width), channels: image.channels == 1 ? 1 : 3,
    pixels: pixels)
}

/// Red, green and blue of inverted cyan, magenta, yellow and black: each color times the black,
/// rounded.
private func withoutBlack(_ inverted: [UInt8]) -> [UInt8] {
  var colors: [UInt8] = []
  colors.reserveCapacity(inverted.count / 4 * 3)
  for pixel in stride(from: 0, to: inverted.count, by: 4) {
    for color in 0..<3 {
      let product = Int(inverted[pixel + color]) * Int(inverted[pixel + 3])
      colors.append(UInt8((product + 127) / 255))
    }
  }
  return colors
}

/// The error for a file that a library refused, with the library's message on one line.
private func damaged<Message>(
  _ kind: String, _ path: String, _ message: inout Message
) -> ImageFileError {
  let text = withUnsafeBytes(of: &message) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
  let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
  return ImageFileError(
    path,
    "cannot be decoded as \(kind)"
      + (line.isEmpty ? "" : " (\(line.prefix { $0 != "\0" }))"),
    cure: "copy it again, or leave it out")
}
