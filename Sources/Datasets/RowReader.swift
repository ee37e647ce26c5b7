import HDF5

/// Reads rows of a dataset that several files hold one after the other.
///
/// HDF5 has a lock of its own, but the objects here do not: one thread uses a reader at a time.
final class RowReader: @unchecked Sendable {
  private struct Part {
    let path: String
    let dataset: Dataset
    /// The rows of the whole that lie here.
    let rows: Range<Int>
  }

  let shape: [Int]
  let isBytes: Bool
  private let name: String
  private let parts: [Part]

  /// The first of the files.
  var path: String { parts.first?.path ?? "" }

  var elementBytes: Int { isBytes ? 1 : MemoryLayout<Float>.size }

  init(
    _ files: [(path: String, file: HDF5.File)], _ name: String, cacheBytes: Int
  ) throws(DatasetError) {
    self.name = name
    var parts: [Part] = []
    var count = 0
    for (path, file) in files {
      let dataset = try Self.open(name, in: file, path, cacheBytes: cacheBytes / files.count)
      let shape = dataset.shape
      guard shape.count >= 1, shape.allSatisfy({ $0 > 0 }) else {
        throw DatasetError(path, "\(name) is \(shape)", cure: "it must hold sequences: [N, ...]")
      }
      if let first = parts.first, first.dataset.shape.dropFirst() != shape.dropFirst() {
        throw DatasetError(
          path, "\(name) is \(shape), in \(first.path) it is \(first.dataset.shape)",
          cure: "all but the first number must agree in all files")
      }
      parts.append(Part(path: path, dataset: dataset, rows: count..<count + shape[0]))
      count += shape[0]
    }
    self.parts = parts
    shape = [count] + (parts.first?.dataset.shape.dropFirst() ?? [])
    isBytes = parts.allSatisfy { $0.dataset.elementType == .uint8 }
  }

  /// Opens a dataset whose numbers the file really holds.
  private static func open(
    _ name: String, in file: HDF5.File, _ path: String, cacheBytes: Int
  ) throws(DatasetError) -> Dataset {
    do {
      let dataset = try file.dataset(name, cacheBytes: cacheBytes)
      guard dataset.elementType != .string, dataset.elementType != .other else {
        throw DatasetError(path, "\(name) does not hold numbers", cure: "name another dataset")
      }
      try dataset.requireStored()
      return dataset
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(path, "\(error)", cure: "the file is damaged or foreign: make it again")
    }
  }

  /// Reads a range of rows, which may lie in several files.
  ///
  /// - Throws: `DatasetError`, also where a number is not finite
  func read(_ rows: Range<Int>) throws(DatasetError) -> StoredNumbers {
    var bytes: [UInt8] = []
    var floats: [Float] = []
    for part in parts where part.rows.overlaps(rows) {
      let here = part.rows.clamped(to: rows)
      let start = here.lowerBound - part.rows.lowerBound
      let offset = [start] + shape.dropFirst().map { _ in 0 }
      let count = [here.count] + shape.dropFirst()
      do {
        if isBytes {
          let read = try part.dataset.read(as: UInt8.self, at: offset, count: count)
          if bytes.isEmpty { bytes = read } else { bytes += read }
        } else {
          let read = try part.dataset.read(as: Float.self, at: offset, count: count)
          try check(read, in: part, from: start)
          if floats.isEmpty { floats = read } else { floats += read }
        }
      } catch let error as DatasetError {
        throw error
      } catch {
        throw DatasetError(part.path, "\(error)", cure: "the file is damaged: make it again")
      }
    }
    return isBytes ? .bytes(bytes) : .floats(floats)
  }

  private func check(_ values: [Float], in part: Part, from row: Int) throws(DatasetError) {
    guard let place = StoredNumbers.floats(values).firstNotFinite else { return }
    let width = shape.dropFirst().reduce(1, *)
    throw DatasetError(
      part.path,
      "\(name)[\(row + place / width)] holds \(values[place]) (number \(place % width) of its row)",
      cure: "take such sequences out, or replace the number")
  }
}
