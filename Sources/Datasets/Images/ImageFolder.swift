// SPDX-License-Identifier: Apache-2.0

import Foundation
import ImageFiles

/// A folder of PNG and JPEG files with a folder for each class, named for it.
///
///     FOLDER/CLASS/x.png
///     FOLDER/train/CLASS/x.JPEG, FOLDER/val/CLASS/y.JPEG    as ImageNet; also validation, test ...
///
/// Classes are numbered in the order of their names. Folders inside the folder of a class belong to
/// it. Links are followed, and hidden files are left out.
public struct ImageFolder: ImageCorpus {
  public let path: String
  public let classNames: [String]?
  public let labels: [DatasetFile.Part: [Int32]]
  public let notes: [String]
  private let files: [DatasetFile.Part: [String]]

  /// The endings of images, in any letter case. The first bytes of a file decide its format.
  public static let endings: Set<String> = ["png", "jpg", "jpeg"]

  public var classes: Int { classNames?.count ?? 0 }
  public var usualChannels: Int? { 3 }

  /// Lists the files of a folder without reading them.
  public init(_ path: String) throws(DatasetError) {
    self.path = path
    let top = try Self.folders(in: path)
    var parts: [DatasetFile.Part: String] = [:]
    for part in DatasetFile.Part.allCases {
      if let name = part.spellings.first(where: top.contains) { parts[part] = "\(path)/\(name)" }
    }
    if parts[.train] == nil { parts = [.train: path] }
    let names = try Self.folders(in: parts[.train]!)
    guard !names.isEmpty else {
      throw DatasetError(
        parts[.train]!, "has no folder for a class",
        cure: "put the images of each class into a folder named for it")
    }
    classNames = names
    var (labels, files) = ([DatasetFile.Part: [Int32]](), [DatasetFile.Part: [String]]())
    var others = 0
    let known = Set(names)
    for (part, folder) in parts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      for name in try Self.folders(in: folder) where !known.contains(name) {
        throw DatasetError(
          "\(folder)/\(name)", "is a class that the training part does not have",
          cure: "rename or remove the folder")
      }
      for (label, name) in names.enumerated() where isFolder("\(folder)/\(name)") {
        let (images, left) = try Self.images(in: "\(folder)/\(name)")
        others += left
        files[part, default: []] += images.map { "\(name)/\($0)" }
        labels[part, default: []] += [Int32](repeating: Int32(label), count: images.count)
      }
      guard files[part]?.isEmpty == false else {
        throw DatasetError(
          folder, "holds no PNG or JPEG file in folders for classes",
          cure: "put the images of each class into a folder named for it")
      }
      files[part] = files[part]!.map { "\(folder)/\($0)" }
    }
    (self.labels, self.files) = (labels, files)
    notes =
      others == 0
      ? [] : ["\(path): \(others) files that do not end in .png, .jpg or .jpeg are left out"]
  }

  public func place(of index: Int, in part: DatasetFile.Part) -> String { files[part]![index] }

  public func image(_ index: Int, of part: DatasetFile.Part) throws(DatasetError) -> ImageFile {
    do {
      return try ImageFile(contentsOf: files[part]![index])
    } catch {
      throw DatasetError(error)
    }
  }

  /// The folders in a folder, in the order of their names.
  private static func folders(in folder: String) throws(DatasetError) -> [String] {
    try contents(of: folder).filter { isFolder("\(folder)/\($0)") }
  }

  /// The images in a folder and in the folders below it, in order, and the number of other files.
  private static func images(
    in folder: String
  ) throws(DatasetError) -> (images: [String], others: Int) {
    var entered: Set<ExactText> = []
    var (images, others) = ([String](), 0)
    var waiting = [""]
    while let inner = waiting.popLast() {
      let place = inner.isEmpty ? folder : "\(folder)/\(inner)"
      // A link to a folder above would make a cycle.
      let real = URL(fileURLWithPath: place).resolvingSymlinksInPath().path
      guard entered.insert(ExactText(real)).inserted else { continue }
      for name in try contents(of: place) {
        let file = inner.isEmpty ? name : "\(inner)/\(name)"
        if endings.contains((name as NSString).pathExtension.lowercased()) {
          images.append(file)
        } else if isFolder("\(folder)/\(file)") {
          waiting.append(file)
        } else {
          others += 1
        }
      }
    }
    return (images.map { ExactText($0) }.sorted().map(\.text), others)
  }

  /// The names in a folder that are not hidden, in order.
  private static func contents(of folder: String) throws(DatasetError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { !$0.hasPrefix(".") }.map { ExactText($0) }.sorted().map(\.text)
    } catch {
      throw DatasetError(folder, "cannot be listed", cure: "check the path and its permissions")
    }
  }
}
