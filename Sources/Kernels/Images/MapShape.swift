// SPDX-License-Identifier: Apache-2.0

/// The shape of a map: Y rows of X places of C channels, channels last.
public struct MapShape: Sendable, Hashable, CustomStringConvertible {
  /// Y
  public var height: Int
  /// X
  public var width: Int
  /// C
  public var channels: Int

  public init(height: Int, width: Int, channels: Int) {
    precondition(
      height > 0 && width > 0 && channels > 0, "a map of \(height) x \(width) x \(channels)")
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// Y X
  public var places: Int { height * width }
  /// Y X C
  public var count: Int { places * channels }
  /// The extents of a tensor that holds one map.
  public var extents: [Int] { [height, width, channels] }
  public var description: String { "\(height)x\(width)x\(channels)" }

  /// The same places with another number of channels.
  public func with(channels: Int) -> MapShape {
    MapShape(height: height, width: width, channels: channels)
  }
}
