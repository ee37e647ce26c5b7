// SPDX-License-Identifier: Apache-2.0

/// How images are cropped and resized before they are stored.
public struct ImageFitting: Sendable, Equatable {
  /// The side of the square that is cut out of the middle; nil keeps images as they are.
  public var size: Int?
  /// The length that the shorter side is scaled to before; nil is `size`.
  public var shorterSide: Int?
  /// C: 1 (gray) or 3; nil keeps the image's own.
  public var channels: Int?

  public init(size: Int? = nil, shorterSide: Int? = nil, channels: Int? = nil) {
    self.size = size
    self.shorterSide = shorterSide
    self.channels = channels
  }
}

extension ImageFile {
  /// The image with other colors, scaled and cropped, in this order.
  ///
  /// The sizes are those of torchvision's `Resize(shorterSide)` and `CenterCrop(size)`: the longer
  /// side becomes ⌊shorterSide · long / short⌋, and the crop begins at half of the remainder,
  /// rounded to even.
  public func fitted(_ fitting: ImageFitting) -> ImageFile {
    let colored = fitting.channels.map { withChannels($0) } ?? self
    guard let size = fitting.size else { return colored }
    let short = max(fitting.shorterSide ?? size, size)
    // Only the middle of a long strip is scaled. Its ends would take unbounded memory, and are cut
    // off anyway.
    let longest = 64 * min(colored.height, colored.width)
    let middle = colored.middle(
      height: min(colored.height, longest), width: min(colored.width, longest))
    let (height, width) = (middle.height, middle.width)
    let scaled =
      height <= width
      ? middle.resized(height: short, width: short * width / height)
      : middle.resized(height: short * height / width, width: short)
    return scaled.middle(height: size, width: size)
  }

  /// The image with this number of channels. Gray is computed from colors by ITU-R 601-2, luma =
  /// (19595 R + 38470 G + 7471 B + 32768) / 65536. Colors from gray are three equal numbers.
  public func withChannels(_ count: Int) -> ImageFile {
    guard count != channels else { return self }
    if count == 3 {
      return ImageFile(
        height: height, width: width, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
    }
    let gray = stride(from: 0, to: pixels.count, by: 3).map { place in
      let (red, green, blue) = (
        Int(pixels[place]), Int(pixels[place + 1]), Int(pixels[place + 2])
      )
      return UInt8((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16)
    }
    return ImageFile(height: height, width: width, channels: 1, pixels: gray)
  }

  /// The part of this size in the middle; the image is at least as large.
  func middle(height rows: Int, width columns: Int) -> ImageFile {
    precondition(height >= rows && width >= columns, "\(rows) x \(columns) of \(height) x \(width)")
    guard rows < height || columns < width else { return self }
    let top = Int((Double(height - rows) / 2).rounded(.toNearestOrEven))
    let left = Int((Double(width - columns) / 2).rounded(.toNearestOrEven))
    let cut = (0..<rows).flatMap { row in
      let start = ((top + row) * width + left) * channels
      return pixels[start..<start + columns * channels]
    }
    return ImageFile(height: rows, width: columns, channels: channels, pixels: cut)
  }

  /// The image scaled with a triangle filter that grows with the scale, so that no detail is lost
  /// between the pixels (antialiasing). Columns come first, then rows, with 8 bits between; weights
  /// are whole numbers of 1/2²², so that every machine gets the same bits. They are those of
  /// Pillow's `resize(..., BILINEAR)`, except that newer versions of it take the rows of some
  /// images first, which changes some numbers by 1.
  public func resized(height newHeight: Int, width newWidth: Int) -> ImageFile {
    precondition(newHeight > 0 && newWidth > 0, "an image of \(newHeight) x \(newWidth)")
    var result = self
    if newWidth != width { result = result.scaledColumns(to: newWidth) }
    if newHeight != height { result = result.scaledRows(to: newHeight) }
    return result
  }

  private func scaledColumns(to newWidth: Int) -> ImageFile {
    let taps = FilterTaps(from: width, to: newWidth)
    var scaled = [UInt8](repeating: 0, count: height * newWidth * channels)
    for y in 0..<height {
      for x in 0..<newWidth {
        let start = (y * width + taps.starts[x]) * channels
        for c in 0..<channels {
          var sum = FilterTaps.half
          for tap in 0..<taps.counts[x] {
            sum += Int32(pixels[start + tap * channels + c]) * taps.weights[x * taps.most + tap]
          }
          scaled[(y * newWidth + x) * channels + c] = FilterTaps.byte(sum)
        }
      }
    }
    return ImageFile(height: height, width: newWidth, channels: channels, pixels: scaled)
  }

  private func scaledRows(to newHeight: Int) -> ImageFile {
    let taps = FilterTaps(from: height, to: newHeight)
    let row = width * channels
    var scaled = [UInt8](repeating: 0, count: newHeight * row)
    var sums = [Int32](repeating: 0, count: row)
    for y in 0..<newHeight {
      for place in 0..<row { sums[place] = FilterTaps.half }
      for tap in 0..<taps.counts[y] {
        let start = (taps.starts[y] + tap) * row
        let weight = taps.weights[y * taps.most + tap]
        for place in 0..<row { sums[place] += Int32(pixels[start + place]) * weight }
      }
      for place in 0..<row { scaled[y * row + place] = FilterTaps.byte(sums[place]) }
    }
    return ImageFile(height: newHeight, width: width, channels: channels, pixels: scaled)
  }
}

/// The weights that compute each number of a scaled line from the numbers of the line.
private struct FilterTaps {
  /// The first number that each is computed from, and their count.
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  /// The largest of these counts.
  let most: Int
  /// The weights of each, in `most` places.
  private(set) var weights: [Int32]

  private static let bits: Int32 = 22
  /// The term that rounds a sum.
  static let half: Int32 = 1 << 21

  static func byte(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> bits) }

  init(from count: Int, to newCount: Int) {
    let scale = Double(count) / Double(newCount)
    let support = max(scale, 1)
    most = Int(support.rounded(.up)) * 2 + 1
    weights = [Int32](repeating: 0, count: newCount * most)
    for place in 0..<newCount {
      let centre = (Double(place) + 0.5) * scale
      let start = max(Int(centre - support + 0.5), 0)
      let end = min(Int(centre + support + 0.5), count)
      let shares = (start..<end).map { tap in
        max(0, 1 - abs((Double(tap) - centre + 0.5) / support))
      }
      let sum = shares.reduce(0, +)
      starts.append(start)
      counts.append(shares.count)
      for (tap, share) in shares.enumerated() {
        weights[place * most + tap] = Int32(share / sum * Double(1 << Self.bits) + 0.5)
      }
    }
  }
}
