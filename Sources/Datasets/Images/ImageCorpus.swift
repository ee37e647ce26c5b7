// SPDX-License-Identifier: Apache-2.0

import HDF5
import ImageFiles
import RandomNumbers

/// Labelled images in a user's own files, in the parts of a data set.
public protocol ImageCorpus {
  /// The folder or file.
  var path: String { get }
  /// The names of the classes, by their numbers, if known.
  var classNames: [String]? { get }
  /// The number of classes.
  var classes: Int { get }
  /// The class of each image of a part. A part without images is absent.
  var labels: [DatasetFile.Part: [Int32]] { get }
  /// C of the stored images unless the user sets it; nil means that of the images.
  var usualChannels: Int? { get }
  /// Notes for the user about the images, one per line.
  var notes: [String] { get }

  /// The place of an image, for messages.
  func place(of index: Int, in part: DatasetFile.Part) -> String

  /// Reads one image of a part.
  func image(_ index: Int, of part: DatasetFile.Part) throws(DatasetError) -> ImageFile
}

extension ImageCorpus {
  public var usualChannels: Int? { nil }
  public var notes: [String] { [] }

  public func place(of index: Int, in part: DatasetFile.Part) -> String {
    "\(path): image \(index) of the part \(part.rawValue)"
  }
}

/// Opens a user's images: a folder of four IDX files as of MNIST, a folder of PNG and JPEG files
/// with a folder for each class, or an HDF5 file.
public func openImageCorpus(
  _ path: String, arrays: ImageArrays.Names = .init()
) throws(DatasetError) -> any ImageCorpus {
  guard isFolder(path) else { return try ImageArrays(path, names: arrays) }
  if MNISTFolder.isThere(path) { return IDXImages(try MNISTFolder(contentsOf: path), path: path) }
  return try ImageFolder(path)
}

/// The images of a folder of IDX files.
public struct IDXImages: ImageCorpus {
  public let path: String
  public let classNames: [String]? = nil
  public let classes: Int
  public let labels: [DatasetFile.Part: [Int32]]
  private let folder: MNISTFolder

  init(_ folder: MNISTFolder, path: String) {
    self.folder = folder
    self.path = path
    labels = [
      .train: folder.train.labels.bytes.map { Int32($0) },
      .test: folder.test.labels.bytes.map { Int32($0) },
    ]
    classes = Int(labels.values.joined().max() ?? 0) + 1
  }

  public func image(_ index: Int, of part: DatasetFile.Part) throws(DatasetError) -> ImageFile {
    let images = part == .train ? folder.train.images : folder.test.images
    let (height, width) = (images.shape[1], images.shape[2])
    let start = index * height * width
    return ImageFile(
      height: height, width: width, channels: 1,
      pixels: Array(images.bytes[start..<start + height * width]))
  }
}

/// Moves some training images to the validation part of a corpus that has none.
///
/// The same share of each class is drawn at random, to the nearest whole image, and never the whole
/// class. The choice depends only on the seed.
public struct SplitImages: ImageCorpus {
  private let base: any ImageCorpus
  private let chosen: [DatasetFile.Part: [Int]]
  public let labels: [DatasetFile.Part: [Int32]]

  /// Moves a share of each class from the training part to the validation part, drawn by the seed.
  public init(_ base: any ImageCorpus, validationShare: Double, seed: UInt64) {
    self.base = base
    let classes = base.labels[.train] ?? []
    var members = [[Int]](repeating: [], count: base.classes)
    for (index, label) in classes.enumerated() { members[Int(label)].append(index) }
    var validation: [Int] = []
    for (label, indices) in members.enumerated() where !indices.isEmpty {
      var stream = RandomStream(seed: seed, purpose: .validationSplit, index: label)
      let count = min(
        Int((validationShare * Double(indices.count)).rounded()), indices.count - 1)
      validation += stream.permutation(indices.count)[..<count].map { indices[$0] }
    }
    let isHeldOut = Set(validation)
    let chosen: [DatasetFile.Part: [Int]] = [
      .train: classes.indices.filter { !isHeldOut.contains($0) }, .validation: validation.sorted(),
    ]
    self.chosen = chosen
    var labels = base.labels
    for (part, indices) in chosen {
      labels[part] = indices.isEmpty ? nil : indices.map { classes[$0] }
    }
    self.labels = labels
  }

  public var path: String { base.path }
  public var classNames: [String]? { base.classNames }
  public var classes: Int { base.classes }
  public var usualChannels: Int? { base.usualChannels }
  public var notes: [String] { base.notes }

  public func place(of index: Int, in part: DatasetFile.Part) -> String {
    guard let indices = chosen[part] else { return base.place(of: index, in: part) }
    return base.place(of: indices[index], in: .train)
  }

  public func image(_ index: Int, of part: DatasetFile.Part) throws(DatasetError) -> ImageFile {
    guard let indices = chosen[part] else { return try base.image(index, of: part) }
    return try base.image(indices[index], of: .train)
  }
}
