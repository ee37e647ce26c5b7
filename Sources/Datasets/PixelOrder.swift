// SPDX-License-Identifier: Apache-2.0

import RandomNumbers

/// The order in which `SequenceView.permuted` shows the pixels of an image. Time step k is pixel
/// `order[k]` of the stored image, as in NumPy's `x[order]`.
public enum PixelOrder: Sendable, Equatable {
  /// A random order of this program, selected by its seed.
  case seed(UInt64)
  /// The indices below the number of pixels in the bit-reversal order of the next power of two, as
  /// in the HiPPO authors' code: 0, 512, 256, 768, 128, ... of 1,024.
  case bitReversal
  /// `numpy.random.RandomState(seed).permutation(count)`. The MomentumRNN authors take the seed of
  /// the run, 0 in their recipes; 92916 is that of the authors of scoRNN and expRNN.
  case numpy(UInt32)
  /// The indices in a text file.
  case file(String)

  /// A permutation of 0 ..< count.
  ///
  /// - Throws: `DatasetError` for a file that does not hold one
  public func indices(of count: Int) throws(DatasetError) -> [Int] {
    switch self {
    case .seed(let seed):
      var stream = RandomStream(seed: seed, purpose: .pixelPermutation)
      return stream.permutation(count)
    case .bitReversal: return Self.bitReversal(count)
    case .numpy(let seed):
      var generator = MersenneTwister(seed: seed)
      return generator.permutation(count)
    case .file(let path): return try Self.read(path, count)
    }
  }

  /// A few digits that identify the order.
  public func fingerprint(of count: Int) throws(DatasetError) -> Fingerprint {
    Fingerprint(of: try indices(of: count).map { Int32($0) })
  }

  private static func bitReversal(_ count: Int) -> [Int] {
    guard count > 1 else { return Array(0..<count) }
    let bits = Int.bitWidth - (count - 1).leadingZeroBitCount
    return (0..<1 << bits).map { index in
      (0..<bits).reduce(0) { $0 << 1 | index >> $1 & 1 }
    }.filter { $0 < count }
  }

  // MARK: Files

  /// Reads whole numbers, with white space or commas between them: each of 0 ..< count once.
  private static func read(_ path: String, _ count: Int) throws(DatasetError) -> [Int] {
    let text = try DecodedText(contentsOf: path)
    let cure = "list each of the numbers 0 to \(count - 1) once, as numpy.savetxt(fmt=\"%d\") does"
    var order: [Int] = []
    var lines = [Int?](repeating: nil, count: count)
    let rows = text.bytesByLines.split(omittingEmptySubsequences: false) { $0 == 0x0a }
    for (line, row) in rows.enumerated() {
      for word in row.split(whereSeparator: isSeparator) {
        let word = String(decoding: word, as: UTF8.self)
        let place = "\(path):\(line + 1)"
        guard let index = Int(word) else {
          throw DatasetError(
            place, "\(word.prefix(40).debugDescription) is not a whole number", cure: cure)
        }
        guard index >= 0, index < count else {
          throw DatasetError(place, "index \(index) is out of range 0..<\(count)", cure: cure)
        }
        if let first = lines[index] {
          throw DatasetError(
            place, "index \(index) occurs twice, first in line \(first)", cure: cure)
        }
        lines[index] = line + 1
        order.append(index)
      }
    }
    guard order.count == count else {
      throw DatasetError(path, "has \(order.count) indices for \(count) pixels", cure: cure)
    }
    return order
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    [0x20, 0x09, 0x0d, UInt8(ascii: ",")].contains(byte)
  }
}
