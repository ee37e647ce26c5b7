// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

/// The largest number of elements given to MPI in one call.
///
/// Counts are of type `int` in the C functions. A power of two keeps the pieces of a longer buffer
/// aligned.
let maximumCount = 1 << 30

/// Returns `count` in the type of the C functions.
func cCount(_ count: Int) -> CInt {
  precondition(
    count <= Int(CInt.max),
    "MPI counts are 32-bit: \(count) elements do not fit in one call; send them in pieces")
  return CInt(count)
}

/// Returns a rank, tag or color in the type of the C functions.
func cInt(_ value: Int) -> CInt {
  guard let result = CInt(exactly: value) else {
    preconditionFailure("\(value) does not fit in an MPI rank, tag or color")
  }
  return result
}

/// Returns the text that a C function writes into a buffer, or an empty string if the call fails.
func withText(
  capacity: Int, _ body: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<CInt>) -> CInt
) -> String {
  var characters = [CChar](repeating: 0, count: capacity)
  var length: CInt = 0
  guard body(&characters, &length) == MPI_SUCCESS else { return "" }
  return String(decoding: characters[..<Int(length)].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Returns the start of each of several consecutive pieces, given their counts.
func offsets(of counts: [Int]) -> [Int] {
  var next = 0
  return counts.map { count in
    defer { next += count }
    return next
  }
}
