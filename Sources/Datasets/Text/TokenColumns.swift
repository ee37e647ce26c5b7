import HDF5

/// A text cut into B columns of L tokens one after the other, L = ⌊n / B⌋; what is left over at
/// the end is not used.
///
///     column b holds the tokens b·L ..< (b+1)·L
///
/// A chunk takes the same steps of every column, so that the recurrent state of a column goes on
/// from chunk to chunk.
public final class TokenColumns {
  /// B, over all ranks.
  public let count: Int
  /// L, tokens per column.
  public let length: Int
  /// The columns that can be read here.
  public let own: Range<Int>

  private let dataset: Dataset
  private let part: DatasetFile.Part
  private let path: String
  private let vocabulary: Int
  /// The tokens of the own columns, where they fit.
  private var memory: [Int32]?

  init(
    _ dataset: Dataset, part: DatasetFile.Part, columns: Int, own: Range<Int>, vocabulary: Int,
    path: String
  ) throws {
    count = columns
    length = dataset.shape[0] / columns
    self.own = own
    self.dataset = dataset
    self.part = part
    self.path = path
    self.vocabulary = vocabulary
    let elements = own.count * length
    if elements * MemoryLayout<Int32>.size <= StoredRows.memoryLimit {
      memory = try read(at: own.lowerBound * length, count: elements)
    }
  }

  /// The tokens of the own columns at the steps `steps`, time first: [steps, own columns].
  public func tokens(at steps: Range<Int>) throws(DatasetError) -> [Int32] {
    precondition(
      steps.lowerBound >= 0 && steps.upperBound <= length, "steps \(steps) of \(length)")
    var result = [Int32](repeating: 0, count: steps.count * own.count)
    for (n, column) in own.enumerated() {
      let values: ArraySlice<Int32>
      if let memory {
        values = memory[n * length + steps.lowerBound..<n * length + steps.upperBound]
      } else {
        values = try read(at: column * length + steps.lowerBound, count: steps.count)[...]
      }
      for (t, token) in values.enumerated() { result[t * own.count + n] = token }
    }
    return result
  }

  private func read(at offset: Int, count: Int) throws(DatasetError) -> [Int32] {
    do {
      let values = try dataset.read(as: Int32.self, at: [offset], count: [count])
      if let wrong = values.firstIndex(where: { $0 < 0 || Int($0) >= vocabulary }) {
        throw DatasetError(
          path,
          "\(part.rawValue)/tokens[\(offset + wrong)] is \(values[wrong]), outside 0 ..<"
            + " \(vocabulary)", cure: "prepare the file again")
      }
      return values
    } catch {
      throw TextFile.unusable(path, error)
    }
  }
}
