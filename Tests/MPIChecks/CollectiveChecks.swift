// SPDX-License-Identifier: Apache-2.0

import MPI

/// Counts of elements that each collective is called with.
private let counts = [0, 1, 7, 1000, 20_011]

func checkCollectives(_ checker: Checker, on group: Communicator) throws(MPIError) {
  try group.barrier()
  try checkAllreduce(checker, group, Float.self)
  try checkAllreduce(checker, group, Double.self)
  try checkAllreduce(checker, group, Int32.self)
  try checkAllreduce(checker, group, Int64.self)
  try checkAllreduce(checker, group, UInt64.self)
  try checkAllreduce(checker, group, Int.self)
  try checkBits(checker, group)
  try checkBroadcast(checker, group)
  try checkGather(checker, group)
  try checkAllgatherInPlace(checker, group, Float.self)
  try checkAllgatherInPlace(checker, group, UInt64.self)
}

/// Rank r gives r + i at index i.
private func checkAllreduce<Scalar: MPIScalar & Numeric>(
  _ checker: Checker, _ group: Communicator, _ type: Scalar.Type
) throws(MPIError) {
  let size = group.size
  func scalar(_ value: Int) -> Scalar { Scalar(exactly: value)! }
  for count in counts {
    let formulas: [(String, ReductionOperator, (Int) -> Int)] = [
      ("sum", .sum, { size * $0 + size * (size - 1) / 2 }),
      ("minimum", .minimum, { $0 }),
      ("maximum", .maximum, { $0 + size - 1 }),
    ]
    for (name, op, formula) in formulas {
      var values = (0..<count).map { scalar(group.rank + $0) }
      var span = values.mutableSpan
      try group.allreduce(&span, op)
      checker.expect(
        "allreduce \(name) of \(count) \(type)", values, (0..<count).map { scalar(formula($0)) })
    }
  }
  let sum = try group.allreduce(scalar(group.rank + 1))
  checker.expect("allreduce of one \(type)", sum, scalar(size * (size + 1) / 2))
  let maximum = try group.allreduce(scalar(group.rank), .maximum)
  checker.expect("maximum of one \(type)", maximum, scalar(size - 1))
  let all = try group.allgather(scalar(10 * group.rank))
  checker.expect("allgather of one \(type)", all, (0..<size).map { scalar(10 * $0) })
}

private func checkBits(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  let rank = group.rank
  let size = group.size
  let bits = try group.allreduce(UInt64(1) << UInt64(rank % 64), .bitwiseOr)
  checker.expect("bits", bits, size >= 64 ? .max : (1 << UInt64(size)) - 1)
  let flags = try group.allreduce(UInt8(rank == size - 1 ? 4 : 1), .bitwiseOr)
  checker.expect("flags", flags, size == 1 ? 4 : 5)
  checker.expectError("bitwise or of Float", "MPI_ERR_OP") { () throws(MPIError) in
    _ = try group.allreduce(Float(1), .bitwiseOr)
  }
}

/// Each rank in turn is the root. Its value depends on its rank.
private func checkBroadcast(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  for root in 0..<group.size {
    for count in counts {
      func content(of rank: Int) -> [Double] { (0..<count).map { Double(1000 * rank + $0) } }
      var values = content(of: group.rank)
      var span = values.mutableSpan
      try group.broadcast(&span, from: root)
      checker.expect("broadcast of \(count) from \(root)", values, content(of: root))

      // Only the root knows the length.
      let received = try group.broadcast(
        group.rank == root ? bytes(count, of: root) : [], from: root)
      checker.expect("bytes from \(root)", received, bytes(count, of: root))
    }
    let value = try group.broadcast(Int32(group.rank), from: root)
    checker.expect("one value from \(root)", value, Int32(root))
  }
  checker.expectError("broadcast from nobody", "MPI_ERR_ROOT") { () throws(MPIError) in
    _ = try group.broadcast(1, from: group.size)
  }
}

/// Rank r gives r * unit bytes, so rank 0 gives none.
private func checkGather(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  for unit in counts {
    let mine = bytes(group.rank * unit, of: group.rank)
    let everyone = (0..<group.size).map { bytes($0 * unit, of: $0) }
    for root in 0..<group.size {
      let gathered = try group.gather(mine, to: root)
      checker.expect("gather to \(root)", gathered, group.rank == root ? everyone : nil)
    }
    checker.expect("allgather of bytes", try group.allgather(mine), everyone)
  }
}

/// Rank r owns r + unit elements; one element between the parts belongs to no rank.
private func checkAllgatherInPlace<Scalar: MPIScalar & Numeric>(
  _ checker: Checker, _ group: Communicator, _ type: Scalar.Type
) throws(MPIError) {
  for unit in counts {
    let parts = (0..<group.size).map { $0 + unit }
    let starts = (0..<group.size).map { $0 * (unit + 1) + $0 * ($0 - 1) / 2 }
    let total = starts.last! + parts.last! + 1
    func filled(by ranks: Range<Int>) -> [Scalar] {
      var values = [Scalar](repeating: 0, count: total)
      for rank in ranks {
        for index in 0..<parts[rank] {
          values[starts[rank] + index] = Scalar(exactly: 100 * rank + index + 1)!
        }
      }
      return values
    }
    var values = filled(by: group.rank..<group.rank + 1)
    var span = values.mutableSpan
    try span.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in
      try group.allgather(buffer, counts: parts, offsets: starts)
    }
    checker.expect("allgather in place of \(type)", values, filled(by: 0..<group.size))
  }
}

/// Bytes that tell which rank they come from.
private func bytes(_ count: Int, of rank: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: 31 * rank + $0) }
}
