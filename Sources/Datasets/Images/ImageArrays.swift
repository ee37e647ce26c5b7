// SPDX-License-Identifier: Apache-2.0

import HDF5
import ImageFiles

/// Images in a user's own HDF5 file: [N, Y, X, C], or [N, Y, X] if grey, with labels [N].
///
/// Whole numbers are 0 to 255. Floating-point numbers are 0 to 1, and are stored as the nearest of
/// 255 steps.
public struct ImageArrays: ImageCorpus {
  /// The names of the datasets, and their layout.
  public struct Names: Sendable {
    /// `{part}` stands for train, validation or test, in the spelling of the file.
    public var images = "{part}/images"
    /// The name of the classes, [N].
    public var labels = "{part}/labels"
    /// Whether images are [N, C, Y, X].
    public var channelsFirst = false

    public init() {}
  }

  public let path: String
  public let classNames: [String]?
  public let classes: Int
  public let labels: [DatasetFile.Part: [Int32]]
  private let images: [DatasetFile.Part: (name: String, dataset: Dataset)]
  private let names: Names

  private static let layout =
    "images are [N, Y, X, C] or [N, Y, X] with C = 1 or 3; reshape them, or add --channels-first"
  /// Memory for chunks of images that HDF5 has unpacked.
  private static let cacheBytes = 1 << 26
  private static let maximumClasses = 1 << 24

  /// Opens a file and reads the classes, not the images.
  public init(_ path: String, names: Names = .init()) throws(DatasetError) {
    (self.path, self.names) = (path, names)
    do {
      let file = try HDF5.File.open(path)
      var images: [DatasetFile.Part: (name: String, dataset: Dataset)] = [:]
      var labels: [DatasetFile.Part: [Int32]] = [:]
      for part in DatasetFile.Part.allCases {
        guard let name = Self.find(names.images, part, in: file) else { continue }
        let dataset = try file.dataset(name, cacheBytes: Self.cacheBytes)
        try dataset.requireStored()
        try Self.requireShape(dataset, name, channelsFirst: names.channelsFirst, path)
        guard let own = Self.find(names.labels, part, in: file) else {
          throw DatasetError(
            path, "has \(name), but no \(names.labels) for it", cure: "name it with --labels")
        }
        labels[part] = try Self.readLabels(file, own, count: dataset.shape[0], path)
        images[part] = (name, dataset)
      }
      guard images[.train] != nil else {
        throw DatasetError(
          path, "has no \(names.images) for the training part",
          cure: "name the datasets with --images and --labels; `momentum-dist inspect` lists them")
      }
      (self.images, self.labels) = (images, labels)
      let count = Int(labels.values.joined().max() ?? 0) + 1
      let own = try? file.stringsAttribute("class_names")
      // One string is a list with a name on each line.
      let found = own?.count == 1 ? own?[0].split(separator: "\n").map(String.init) : own
      classNames = found.flatMap { $0.count >= count ? $0 : nil }
      classes = classNames?.count ?? count
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(
        path, error, cure: "name a folder of images, or an HDF5 file")
    }
  }

  public func image(_ index: Int, of part: DatasetFile.Part) throws(DatasetError) -> ImageFile {
    let (name, dataset) = images[part]!
    let shape = Array(dataset.shape.dropFirst())
    let channels = shape.count == 2 ? 1 : names.channelsFirst ? shape[0] : shape[2]
    let (height, width) = names.channelsFirst ? (shape[1], shape[2]) : (shape[0], shape[1])
    do {
      let stored: [UInt8]
      if dataset.elementType == .uint8 {
        stored = try dataset.read(rows: index..<index + 1, as: UInt8.self)
      } else {
        stored = try bytes(
          of: dataset.read(rows: index..<index + 1, as: Float.self),
          isFloat: dataset.elementType.isFloat, "\(path): \(name)[\(index)]")
      }
      guard names.channelsFirst else {
        return ImageFile(height: height, width: width, channels: channels, pixels: stored)
      }
      let plane = height * width
      return ImageFile(
        height: height, width: width, channels: channels,
        pixels: (0..<stored.count).map { stored[$0 % channels * plane + $0 / channels] })
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, error, cure: "the file is damaged: make it again")
    }
  }

  private func bytes(
    of values: [Float], isFloat: Bool, _ place: String
  ) throws(DatasetError) -> [UInt8] {
    let (scale, limit): (Float, Float) = isFloat ? (255, 1) : (1, 255)
    if let wrong = values.first(where: { !($0 >= 0 && $0 <= limit) }) {
      throw DatasetError(
        place, "holds \(wrong)",
        cure: "store whole numbers of 0 to 255, or numbers with a fraction of 0 to 1")
    }
    return values.map { UInt8(($0 * scale).rounded()) }
  }

  /// The name of a dataset of a part, if the file has it.
  private static func find(
    _ pattern: String, _ part: DatasetFile.Part, in file: HDF5.File
  ) -> String? {
    guard pattern.contains("{part}") else {
      return part == .train && file.contains(pattern) ? pattern : nil
    }
    return part.spellings.map { pattern.replacingOccurrences(of: "{part}", with: $0) }
      .first(where: file.contains)
  }

  private static func requireShape(
    _ dataset: Dataset, _ name: String, channelsFirst: Bool, _ path: String
  ) throws(DatasetError) {
    let shape = dataset.shape
    let channels = shape.count == 4 ? shape[channelsFirst ? 1 : 3] : channelsFirst ? 0 : 1
    guard dataset.elementType.isNumber, (3...4).contains(shape.count), !shape.contains(0),
      [1, 3].contains(channels)
    else {
      throw DatasetError(
        path, "\(name) is \(dataset.typeDescription) \(shape)", cure: layout)
    }
    let pixels = (dataset.count / shape[0]) / channels
    guard pixels <= ImageFile.maximumPixels else {
      throw DatasetError(
        path, "\(name) has images of \(pixels) pixels",
        cure: "give images of at most \(ImageFile.maximumPixels)")
    }
  }

  private static func readLabels(
    _ file: HDF5.File, _ name: String, count: Int, _ path: String
  ) throws -> [Int32] {
    let dataset = try file.dataset(name)
    try dataset.requireStored()
    guard dataset.elementType.isNumber, dataset.shape == [count] || dataset.shape == [count, 1]
    else {
      throw DatasetError(
        path, "\(name) is \(dataset.typeDescription) \(dataset.shape) for \(count) images",
        cure: "store the number of the class of each image, [N]")
    }
    let values = try dataset.read(as: Double.self)
    for (index, value) in values.enumerated()
    where Int(exactly: value).map({ !(0..<maximumClasses).contains($0) }) ?? true {
      throw DatasetError(
        path, "\(name)[\(index)] is \(value)", cure: "classes are whole numbers from 0 on")
    }
    return values.map { Int32($0) }
  }
}
