// SPDX-License-Identifier: Apache-2.0

import MPI

func checkEnvironment(_ checker: Checker) throws(MPIError) {
  checker.expect("initialized", Environment.isInitialized, true)
  checker.expect("thread multiple", Environment.isThreadMultiple, true)
  checker.expect("processor name", Environment.processorName.isEmpty, false)
  checker.expect("library version", Environment.libraryVersion.contains("MPI"), true)
  checker.expectError("error text", "MPI_ERR_TRUNCATE") { () throws(MPIError) in
    throw .truncatedMessage
  }
}

func checkCommunicators(_ checker: Checker) throws(MPIError) {
  let world = try Communicator.world()
  let rank = world.rank
  let size = world.size

  // Even and odd ranks part.
  let half = try world.split(color: rank % 2, key: rank)
  checker.expect("split size", half.size, (size + 1 - rank % 2) / 2)
  checker.expect("split rank", half.rank, rank / 2)
  let members = try half.allgather(rank)
  checker.expect("split members", members, (0..<half.size).map { 2 * $0 + rank % 2 })

  // Each rank alone.
  let alone = try world.split(color: rank)
  checker.expect("alone", [alone.rank, alone.size], [0, 1])

  let copy = try world.duplicate()
  checker.expect("duplicate", [copy.rank, copy.size], [rank, size])

  // Ranks of a host have the same name, and the hosts together have all ranks.
  let host = try world.splitByHost()
  let leaders = try world.allreduce(host.rank == 0 ? host.size : 0)
  checker.expect("host sizes", leaders, size)
  let names = try host.allgather(Array(Environment.processorName.utf8))
  checker.expect("host names", Set(names).count, 1)

  // Communicators are freed again, because Open MPI has only 65536 identifiers.
  for _ in 0..<70_000 { _ = try alone.duplicate() }
  checker.expect("freed", try alone.duplicate().size, 1)
}
