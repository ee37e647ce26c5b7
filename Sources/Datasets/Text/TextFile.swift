// SPDX-License-Identifier: Apache-2.0

import HDF5

/// A data set of text: its vocabulary and its parts. Several files count as one text: each part is
/// joined in the order of the files, and all must have the same vocabulary.
public struct TextFile {
  /// The tokens by their numbers.
  public internal(set) var vocabulary: Vocabulary
  /// The number in `vocabulary` of each token of the files, if the files have other numbers.
  var numbers: [Int32]?
  let place: DatasetPlace
  let files: DatasetFiles

  /// Opens files that `prepare text` made.
  public init(_ place: DatasetPlace) throws(DatasetError) {
    self.place = place
    do {
      files = try place.open()
      var known: Vocabulary?
      for (path, file) in files {
        try DatasetFile.requireVersion(of: file, path)
        let own = try Vocabulary(file, path: path)
        guard known == nil || known == own else {
          throw DatasetError(
            path, "its vocabulary differs from that of \(files[0].path)",
            cure: "prepare the texts together, as one folder")
        }
        known = own
      }
      vocabulary = known ?? Vocabulary(level: .word)
    } catch {
      throw Self.unusable(place.files, error)
    }
  }

  /// The tokens of a part as the columns of a batch.
  ///
  /// - Parameters:
  ///   - part: the part to read
  ///   - columns: the number of columns that the part is cut into
  ///   - own: the columns that this rank reads
  ///   - inMemory: whether the columns are kept in memory if they fit; otherwise only the steps
  ///     that are asked for are read
  public func columns(
    of part: DatasetFile.Part, count columns: Int, own: Range<Int>, inMemory: Bool = true
  ) throws(DatasetError) -> TokenColumns {
    let name = "\(part.rawValue)/tokens"
    for (path, file) in files where !file.contains(name) {
      throw DatasetError(
        path, "has no \(name)", cure: "make it with `momentum-dist prepare text`")
    }
    let tokens = try JoinedDataset(files, name, cacheBytes: 1 << 20)
    guard tokens.shape.count == 1, tokens.shape[0] / columns >= 2 else {
      throw DatasetError(
        place.files,
        "has \(name) of shape \(tokens.shape), too few for \(columns) columns of 2 tokens",
        cure: "use fewer columns, or more text")
    }
    return try TokenColumns(
      tokens, columns: columns, own: own, vocabulary: numbers?.count ?? vocabulary.count,
      numbers: numbers, memoryLimit: inMemory ? place.memoryLimit : 0)
  }

  static func unusable(_ path: String, _ error: any Error) -> DatasetError {
    error as? DatasetError
      ?? DatasetError(
        path, error, cure: "check the path, or make it with `momentum-dist prepare text`")
  }
}

extension TextFile {
  /// Opens a file that `prepare text` made.
  public init(_ path: String) throws(DatasetError) {
    try self.init(DatasetPlace(path))
  }
}
