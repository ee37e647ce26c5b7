// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5
import Threads

/// A text cut into B consecutive columns of L tokens, L = ⌊n / B⌋. A remainder at the end is not
/// used.
///
///     column b holds the tokens b·L ..< (b+1)·L
///
/// A chunk takes the same steps of every column, so the recurrent state of a column continues from
/// chunk to chunk. Columns that fit are kept in memory. Steps of larger columns are read when they
/// are needed, and `prefetch(_:)` starts a thread that reads those that are needed next.
///
/// One thread uses an object at a time. Each rank has its own, and opens the files by itself.
public final class TokenColumns {
  /// B, over all ranks.
  public let count: Int
  /// L, tokens per column.
  public let length: Int
  /// The columns that can be read here.
  public let own: Range<Int>
  /// Whether the columns are kept in memory.
  public var isInMemory: Bool { isWhole }

  private let reader: TokenReader
  /// The number of each stored token, if it differs from the stored number.
  private let numbers: [Int32]?
  private let isWhole: Bool
  /// Some steps of the own columns; all of them if they fit.
  private var held: TokenBlock?
  private var pending: BackgroundJob<TokenBlock>?

  init(
    _ tokens: JoinedDataset, columns: Int, own: Range<Int>, vocabulary: Int,
    numbers: [Int32]? = nil, memoryLimit: Int
  ) throws(DatasetError) {
    count = columns
    length = tokens.shape[0] / columns
    self.own = own
    self.numbers = numbers
    reader = TokenReader(joined: tokens, own: own, length: length, vocabulary: vocabulary)
    isWhole = own.count * length * MemoryLayout<Int32>.size <= memoryLimit
    if isWhole { held = try reader.read(0..<length) }
  }

  /// The tokens of the own columns at the steps `steps`, time first: [steps, own columns].
  public func tokens(at steps: Range<Int>) throws(DatasetError) -> [Int32] {
    precondition(
      steps.lowerBound >= 0 && steps.upperBound <= length, "steps \(steps) of \(length)")
    try hold(steps)
    var result = [Int32](repeating: 0, count: steps.count * own.count)
    guard let held else { return result }
    for n in 0..<own.count {
      let start = n * held.steps.count + steps.lowerBound - held.steps.lowerBound
      for t in 0..<steps.count { result[t * own.count + n] = held.tokens[start + t] }
    }
    if let numbers { result = result.map { numbers[Int($0)] } }
    return result
  }

  /// Reads steps. After that `tokens(at:)` has any of them.
  public func hold(_ steps: Range<Int>) throws(DatasetError) {
    if let held, held.covers(steps) { return }
    if let fetched = try collect(), fetched.covers(steps) {
      held = fetched
    } else {
      held = try reader.read(steps)
    }
  }

  /// Starts to read the steps that are needed next.
  public func prefetch(_ steps: Range<Int>) throws(DatasetError) {
    guard !isWhole else { return }
    _ = try collect()
    let reader = reader
    pending = BackgroundJob("tokens", inPlace: !HDF5Library.isThreadSafe) {
      try Failpoint.dataPrefetch.pass(reader.path)
      return try reader.read(steps)
    }
  }

  /// Whether the steps of `prefetch(_:)` are read.
  public var isReady: Bool { pending?.isDone ?? true }

  /// Waits for the thread and takes the steps that it has read. After that this thread may use
  /// HDF5.
  private func collect() throws(DatasetError) -> TokenBlock? {
    guard let job = pending else { return nil }
    pending = nil
    do {
      return try job.result()
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(reader.path, error, cure: "check the disk", isDiskFailure: true)
    }
  }
}

/// Steps of some columns, column after column.
private struct TokenBlock: Sendable {
  let steps: Range<Int>
  let tokens: [Int32]

  func covers(_ other: Range<Int>) -> Bool {
    steps.lowerBound <= other.lowerBound && other.upperBound <= steps.upperBound
  }
}

/// Reads tokens and refuses those that the vocabulary does not have. One thread uses it at a time.
private final class TokenReader: Sendable {
  private let joined: JoinedDataset
  private let own: Range<Int>
  private let length: Int
  private let vocabulary: Int

  init(joined: JoinedDataset, own: Range<Int>, length: Int, vocabulary: Int) {
    (self.joined, self.own, self.length, self.vocabulary) = (joined, own, length, vocabulary)
  }

  /// The first of the files.
  var path: String { joined.pieces.first?.path ?? "" }

  func read(_ steps: Range<Int>) throws(DatasetError) -> TokenBlock {
    // Whole columns are consecutive.
    if steps == 0..<length {
      let all = own.lowerBound * length..<own.upperBound * length
      return TokenBlock(steps: steps, tokens: try read(all))
    }
    var tokens: [Int32] = []
    tokens.reserveCapacity(own.count * steps.count)
    for column in own {
      let start = column * length + steps.lowerBound
      tokens += try read(start..<start + steps.count)
    }
    return TokenBlock(steps: steps, tokens: tokens)
  }

  /// The tokens at these positions of the whole text.
  private func read(_ range: Range<Int>) throws(DatasetError) -> [Int32] {
    var tokens: [Int32] = []
    try joined.forEachPiece(of: range) { piece, places in
      let read = try joined.read(piece, places, as: Int32.self)
      if let wrong = read.firstIndex(where: { $0 < 0 || Int($0) >= vocabulary }) {
        throw DatasetError(
          piece.path,
          "\(joined.name)[\(places.lowerBound + wrong)] is \(read[wrong]), outside 0 ..<"
            + " \(vocabulary)", cure: "prepare the file again")
      }
      if tokens.isEmpty { tokens = read } else { tokens += read }
    }
    return tokens
  }
}
