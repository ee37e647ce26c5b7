// SPDX-License-Identifier: Apache-2.0

import HDF5
import ImageFiles

/// An event while images are written.
public enum ImageProgress {
  /// The number of images done, of all images.
  case done(Int, of: Int)
  /// An image could not be read and is left out.
  case leftOut(DatasetError)
}

/// The images that were written of a corpus.
public struct ImageSummary: Sendable, Equatable {
  /// [Y, X, C].
  public internal(set) var shape: [Int] = []
  /// The number of images in each part.
  public internal(set) var counts: [DatasetFile.Part: Int] = [:]
}

extension ImageCorpus {
  /// Writes the data set file.
  ///
  ///     /            attributes task = "classification", format_version, classes, class_names (a
  ///                  line each), scaling = 1 / 255, source = "images"
  ///     /train       inputs [N, Y, X, C] uint8, targets [N] int32
  ///     /validation, /test            likewise, if there are any
  ///
  /// Only some MB of images are in memory at a time.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - fitting: the size and the channels of the stored images
  ///   - skippingUnreadable: whether to leave out files that cannot be read, instead of throwing
  ///   - compressing: makes a smaller file that takes longer to read
  ///   - progress: called after each image, and for each one that is left out
  public func write(
    to path: String, fitting: ImageFitting = .init(), skippingUnreadable: Bool = false,
    compressing: Bool = false, progress: (ImageProgress) -> Void = { _ in }
  ) throws(DatasetError) -> ImageSummary {
    var summary = ImageSummary()
    var fitting = fitting
    fitting.channels = fitting.channels ?? usualChannels
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", "classification")
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("classes", classes)
      if let classNames {
        try file.setAttribute("class_names", classNames.joined(separator: "\n"))
      }
      try file.setAttribute("scaling", 1.0 / 255)
      try file.setAttribute("source", "images")
      var done = 0
      let all = labels.values.reduce(0) { $0 + $1.count }
      for part in DatasetFile.Part.allCases {
        guard let labels = labels[part] else { continue }
        var writer = ImagePartWriter(
          file, part, count: labels.count, shape: summary.shape, compressing: compressing)
        for (index, label) in labels.enumerated() {
          done += 1
          let image: ImageFile
          do throws(DatasetError) {
            image = try self.image(index, of: part)
          } catch {
            guard skippingUnreadable else { throw error.orSkipping }
            progress(.leftOut(error))
            continue
          }
          try writer.add(image.fitted(fitting), label, place(of: index, in: part))
          progress(.done(done, of: all))
        }
        summary.counts[part] = try writer.finish(self.path)
        summary.shape = writer.shape
      }
    }
    return summary
  }
}

extension DatasetError {
  /// The same error, with a hint at the option that leaves such files out.
  fileprivate var orSkipping: DatasetError {
    DatasetError(path, problem, cure: cure + "; --skip-unreadable leaves such files out")
  }
}

/// Writes the images of one part, a few MB at a time.
private struct ImagePartWriter {
  private let file: HDF5.File
  private let name: String
  private let count: Int
  private let compressing: Bool
  /// [Y, X, C]; empty until the first image of any part is read.
  private(set) var shape: [Int]
  private var dataset: Dataset?
  private var pixels: [UInt8] = []
  private var labels: [Int32] = []
  private var written = 0

  private static let blockBytes = 1 << 23

  init(
    _ file: HDF5.File, _ part: DatasetFile.Part, count: Int, shape: [Int], compressing: Bool
  ) {
    (self.file, name, self.count) = (file, part.rawValue, count)
    (self.shape, self.compressing) = (shape, compressing)
  }

  mutating func add(_ image: ImageFile, _ label: Int32, _ place: String) throws {
    let own = [image.height, image.width, image.channels]
    if shape.isEmpty { shape = own }
    guard shape == own else {
      throw DatasetError(
        place, "is \(own) (rows, columns, channels), and those before it are \(shape)",
        cure: "make all alike with --size and --channels")
    }
    labels.append(label)
    pixels += image.pixels
    if pixels.count >= Self.blockBytes { try flush() }
  }

  private mutating func flush() throws(HDF5Error) {
    guard !pixels.isEmpty else { return }
    if dataset == nil {
      let whole = [count] + shape
      dataset = try file.createDataset(
        "\(name)/inputs", of: UInt8.self, shape: whole,
        chunk: DatasetFile.chunk(whole, elementBytes: 1),
        deflate: DatasetFile.deflate(compressing), fletcher32: true, maximumShape: whole)
    }
    let rows = labels.count - written
    try dataset?.write(pixels.span, at: [written, 0, 0, 0], count: [rows] + shape)
    written = labels.count
    pixels.removeAll(keepingCapacity: true)
  }

  /// Writes the rest.
  ///
  /// - Returns: the number of images that were written
  mutating func finish(_ source: String) throws -> Int {
    try flush()
    guard let dataset else {
      throw DatasetError(
        source, "has no image that can be read for the part \(name)", cure: "give more images")
    }
    // The images that were left out.
    if written < count { try dataset.extend(to: [written] + shape) }
    try file.write(labels, to: "\(name)/targets", fletcher32: true)
    return written
  }
}
