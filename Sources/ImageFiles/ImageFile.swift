// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// An image: 8 bits for each number of a pixel, from a PNG or JPEG file or from memory.
///
/// Only the pixels of a file are used: a rotation noted in EXIF, a color profile and a gamma are
/// not applied. Transparency is dropped: a pixel has the color that is stored for it. 16 bits
/// become 8 by v · 255 / 65535, rounded. For 8 bits or fewer, the numbers are those of Pillow's
/// `Image.open(f).convert("RGB")`.
public struct ImageFile: Sendable, Equatable {
  /// Y, rows.
  public let height: Int
  /// X, columns.
  public let width: Int
  /// C: 1 (gray) or 3 (red, green, blue).
  public let channels: Int
  /// The numbers [Y, X, C], row by row from the top.
  public let pixels: [UInt8]

  /// The most pixels that an image may have; memory is allocated only up to this.
  public static let maximumPixels = 1 << 26
  /// The largest file that is read.
  public static let maximumBytes = 1 << 28

  /// An image that is not in a file.
  public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) {
    precondition(
      height > 0 && width > 0 && [1, 3].contains(channels)
        && pixels.count == height * width * channels,
      "\(pixels.count) numbers for an image of [\(height), \(width), \(channels)]")
    self.height = height
    self.width = width
    self.channels = channels
    self.pixels = pixels
  }

  /// Reads a file. Its kind follows from its first bytes, not from its name.
  public init(contentsOf path: String) throws(ImageFileError) {
    let bytes: [UInt8]?
    do {
      guard !DurableFiles.isFolder(path) else {
        throw ImageFileError(path, "is a folder", cure: "name an image")
      }
      bytes = try DurableFiles.contents(of: path, limit: Self.maximumBytes)
    } catch let error as ImageFileError {
      throw error
    } catch {
      throw ImageFileError(path, "cannot be read (\(error))", cure: "check the path")
    }
    guard let bytes else {
      throw ImageFileError(
        path, "has more than \(Self.maximumBytes >> 20) MB", cure: "make the image smaller")
    }
    try self.init(decoding: bytes, path: path)
  }

  /// Decodes the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: the content of the file
  ///   - path: for messages
  public init(decoding bytes: [UInt8], path: String) throws(ImageFileError) {
    guard !bytes.isEmpty else {
      throw ImageFileError(path, "is empty", cure: "remove it, or copy it again")
    }
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = try decodePNG(bytes, path)
    } else if bytes.starts(with: [0xff, 0xd8]) {
      self = try decodeJPEG(bytes, path)
    } else {
      throw ImageFileError(
        path, "is not a PNG or JPEG file", cure: "convert it to PNG, or leave it out")
    }
  }

  /// Refuses sizes for which no memory must be allocated.
  static func requireSize(
    _ height: UInt32, _ width: UInt32, _ path: String
  ) throws(ImageFileError) {
    guard height > 0, width > 0, Int(height) * Int(width) <= maximumPixels else {
      throw ImageFileError(
        path, "declares \(width) x \(height) pixels",
        cure: "give images of 1 to \(maximumPixels) pixels, or remove it if it is damaged")
    }
  }
}
