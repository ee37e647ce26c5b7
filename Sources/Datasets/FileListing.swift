// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5

/// The datasets of any HDF5 file, and the keys to train on them.
public struct FileListing {
  /// A dataset of the file.
  public struct Entry: Sendable {
    /// Its path in the file, without a slash at the front.
    public let name: String
    /// The type as text: "float32".
    public let type: String
    /// The extents of the dataset.
    public let shape: [Int]
    /// The layout of its numbers: "chunks [10, 6, 3]".
    public let layout: String
    /// The filters of its chunks: "gzip".
    public let filters: [String]
    /// The reason why it cannot be read; nil if it can.
    public let problem: String?

    let elementType: ElementType

    /// A line for the user.
    public var text: String {
      // Names come from the file, and may contain any character.
      FileListing.onOneLine(
        "\(name)  \(type) \(shape)  \(([layout] + filters).joined(separator: ", "))"
          + (problem.map { "; \($0)" } ?? ""))
    }
  }

  /// The file.
  public let path: String
  /// The datasets of the file, up to `most`.
  public let entries: [Entry]
  /// Whether all datasets are listed.
  public let isComplete: Bool
  /// Lists of keys, each of which would train on the file: `dataset.inputs={part}/x`, ...
  public let trainable: [[String]]

  /// Why datasets that look like inputs and labels cannot be trained on; nil if some can.
  public let refusal: String?

  /// At most this many datasets are listed, among ten times as many names.
  public static let most = 10_000

  /// Lists a file.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - readingAll: whether to read every number, and to throw if one cannot be read
  public init(_ path: String, readingAll: Bool) throws(DatasetError) {
    self.path = path
    do {
      let file = try HDF5.File.open(path)
      var walk = Walk()
      try walk.visit(file, "")
      (entries, isComplete) = (walk.entries, walk.isComplete)
      (trainable, refusal) = TrainableKeys(path: path, entries: entries).search()
      if readingAll {
        if !isComplete { throw Self.tooLarge(path) }
        try Self.check(file, path, entries, trainable)
      }
    } catch {
      let known =
        error as? DatasetError
        ?? DatasetError(path, error, cure: "check the path; the file may be damaged")
      throw DatasetError(path, Self.onOneLine(known.problem), cure: known.cure)
    }
  }

  /// The text without characters that end a line or control a terminal.
  static func onOneLine(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.isHiddenOrActive ? "\u{FFFD}" : $0 }))
  }

  /// Refuses a file with links that lead to nothing or to another file. The data behind them would
  /// be missing.
  static func refuseLinks(of file: HDF5.File, _ path: String) throws {
    var walk = Walk()
    try walk.visit(file, "")
    if !walk.isComplete { throw tooLarge(path) }
    try refuseLinks(walk.entries, path)
  }

  private static func tooLarge(_ path: String) -> DatasetError {
    DatasetError(
      path,
      "has more than \(most) datasets, \(10 * most) names or \(Walk.deepest) levels of groups, which"
        + " are not all checked", cure: "store the sequences in fewer datasets")
  }

  private static func refuseLinks(_ entries: [Entry], _ path: String) throws(DatasetError) {
    guard let link = entries.first(where: { $0.type == "link" }) else { return }
    throw DatasetError(
      path, "\(link.name) cannot be used: \(link.problem ?? "it is a link")",
      cure: "replace it with the data it points to, or remove it")
  }

  private static func check(
    _ file: HDF5.File, _ path: String, _ entries: [Entry], _ trainable: [[String]]
  ) throws {
    try refuseLinks(entries, path)
    let keys = trainable.joined().joined(separator: "\n")
    for entry in entries where entry.elementType.isNumber && !entry.shape.contains(0) {
      let pattern = TrainableKeys.pattern(of: entry.name)
      var check = DatasetCheck(path: path, file: file, classes: 0)
      check.allowsNotFinite = !keys.contains("=\(entry.name)") && !keys.contains("=\(pattern)")
      try check.run(entry.name)
    }
  }
}

/// A walk through the groups of a file. A group may contain itself.
private struct Walk {
  var entries: [FileListing.Entry] = []
  /// Whether no limit was met.
  private(set) var isComplete = true
  private var visited: Set<UInt64> = []
  private var names = 0

  static let deepest = 64

  mutating func visit(_ location: some Location, _ prefix: String, depth: Int = 0) throws {
    if depth == 0, let root = location.address(of: ".") { visited.insert(root) }
    guard depth < Self.deepest else {
      isComplete = false
      return
    }
    for name in try location.childNames() {
      guard entries.count < FileListing.most, names < 10 * FileListing.most else {
        isComplete = false
        return
      }
      names += 1
      let path = prefix + name
      if location.isGroup(name) {
        guard let address = location.address(of: name), visited.insert(address).inserted else {
          continue
        }
        try visit(location.group(name), path + "/", depth: depth + 1)
      } else if location.contains(name) {
        // A named type is not a dataset, and cannot be trained on.
        if let entry = entry(location, name, path) { entries.append(entry) }
      } else {
        entries.append(
          .init(
            name: path, type: "link", shape: [], layout: "broken link", filters: [],
            problem: "it leads to nothing", elementType: .other))
      }
    }
  }

  private func entry(
    _ location: some Location, _ name: String, _ path: String
  ) -> FileListing.Entry? {
    do {
      let dataset = try location.dataset(name)
      var problem: String?
      do {
        if dataset.count > 0 { try dataset.requireStored() }
      } catch {
        problem = error.detail
      }
      return .init(
        name: path, type: dataset.typeDescription, shape: dataset.shape,
        layout: (try? dataset.layoutDescription()) ?? "unknown layout",
        filters: ((try? dataset.filters()) ?? []).map {
          "\($0)" + ($0.isAvailable ? "" : ", which is not installed here")
        },
        problem: problem, elementType: dataset.elementType)
    } catch {
      guard !error.detail.contains("not a dataset") else { return nil }
      let isLink = error.detail.hasPrefix("it is a link")
      return .init(
        name: path, type: isLink ? "link" : "dataset", shape: [],
        layout: isLink ? "another file" : "unknown layout", filters: [],
        problem: error.detail, elementType: .other)
    }
  }
}
