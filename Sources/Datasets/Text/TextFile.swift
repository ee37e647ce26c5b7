import HDF5

/// A data set file of text: its vocabulary and its parts.
public struct TextFile {
  public let path: String
  public let vocabulary: Vocabulary
  private let file: HDF5.File

  /// Opens a file that `prepare text` made.
  public init(_ path: String) throws(DatasetError) {
    self.path = path
    do {
      file = try DatasetFile.open(path)
      vocabulary = try Vocabulary(file, path: path)
    } catch {
      throw Self.unusable(path, error)
    }
  }

  /// The tokens of a part as the columns of a batch.
  ///
  /// - Parameters:
  ///   - columns: how many columns the part is cut into
  ///   - own: the columns to be read here
  ///   - memoryLimit: bytes up to which they are kept in memory
  public func columns(
    of part: DatasetFile.Part, count columns: Int, own: Range<Int>,
    memoryLimit: Int = StoredRows.memoryLimit
  ) throws(DatasetError) -> TokenColumns {
    do {
      guard file.contains("\(part.rawValue)/tokens") else {
        throw DatasetError(
          path, "has no \(part.rawValue)/tokens", cure: "make it with `momentum-dist prepare text`")
      }
      let dataset = try file.dataset("\(part.rawValue)/tokens")
      guard dataset.shape.count == 1, dataset.shape[0] / columns >= 2 else {
        throw DatasetError(
          path,
          "has \(part.rawValue)/tokens of shape \(dataset.shape), too few for \(columns) columns of"
            + " 2 tokens", cure: "use fewer columns, or more text")
      }
      return try TokenColumns(
        dataset, part: part, columns: columns, own: own, vocabulary: vocabulary.count,
        memoryLimit: memoryLimit, path: path)
    } catch {
      throw Self.unusable(path, error)
    }
  }

  static func unusable(_ path: String, _ error: any Error) -> DatasetError {
    error as? DatasetError
      ?? DatasetError(
        path, "\(error)", cure: "check the path, or make it with `momentum-dist prepare text`")
  }
}
