// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A folder with the four files of MNIST or of a data set in its format (Fashion-MNIST, KMNIST).
public struct MNISTFolder {
  /// Images with their labels.
  public struct Part: Sendable {
    /// [N, height, width].
    public let images: IDXArray
    /// [N], the digit or class of each image.
    public let labels: IDXArray
  }

  /// The 60,000 images of `train-*` in MNIST.
  public let train: Part
  /// The 10,000 images of `t10k-*` in MNIST.
  public let test: Part

  /// Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the two files of `t10k`, each
  /// plain or with `.gz`.
  public init(contentsOf folder: String) throws(DatasetError) {
    train = try Self.part("train", of: folder)
    test = try Self.part("t10k", of: folder)
  }

  /// Whether a folder has files of this kind.
  static func isThere(_ folder: String) -> Bool {
    (try? find("train-images", "idx3-ubyte", in: folder)) != nil
  }

  private static func part(_ name: String, of folder: String) throws(DatasetError) -> Part {
    let imagePath = try find("\(name)-images", "idx3-ubyte", in: folder)
    let labelPath = try find("\(name)-labels", "idx1-ubyte", in: folder)
    let images = try IDXArray(contentsOf: imagePath, dimensions: 3)
    let labels = try IDXArray(contentsOf: labelPath, dimensions: 1)
    guard images.shape[0] == labels.shape[0] else {
      throw DatasetError(
        imagePath,
        "holds \(images.shape[0]) images, but \(labelPath) holds \(labels.shape[0]) labels",
        cure: "use both files of the same download")
    }
    guard !images.bytes.isEmpty else {
      throw DatasetError(imagePath, "holds no image", cure: "download it again")
    }
    return Part(images: images, labels: labels)
  }

  private static func find(
    _ stem: String, _ ending: String, in folder: String
  ) throws(DatasetError) -> String {
    let names = ["-", "."].flatMap { ["\(stem)\($0)\(ending)", "\(stem)\($0)\(ending).gz"] }
    for name in names {
      let path = (folder as NSString).appendingPathComponent(name)
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw DatasetError(
      folder, "has no \(names[0]) or \(names[1])",
      cure: "name the folder of the four IDX files with --from")
  }
}
