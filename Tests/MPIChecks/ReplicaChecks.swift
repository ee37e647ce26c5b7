// SPDX-License-Identifier: Apache-2.0

import DataParallel
import MPI
import Tensors

/// Flips one bit on each rank in turn; the check names that rank, or all where two ranks differ.
func checkReplicas(_ checker: Checker, on group: Communicator) throws(MPIError) {
  let check = ReplicaCheck(group)
  let host = Environment.processorName
  for count in [1, 2, 7, 8, 10_001] {
    let numbers = Tensor((0..<count).map { Float($0) - 3.5 })
    checker.expect("equal replicas", try check.oddReplicas(of: numbers).map(\.rank), [])
    for odd in 0..<group.size {
      let (index, bit) = ((7919 * odd + count / 2) % count, 31 - odd % 32)
      func flip() {
        guard group.rank == odd else { return }
        numbers[index] = Float(bitPattern: numbers[index].bitPattern ^ 1 << UInt32(bit))
      }
      flip()
      let found = try check.oddReplicas(of: numbers)
      flip()
      let expected = group.size == 1 ? [] : group.size == 2 ? [0, 1] : [odd]
      checker.expect("odd replica \(odd) of \(count)", found.map(\.rank), expected)
      checker.expect("its host", found.allSatisfy { $0.host == host }, true)
    }
  }
}
