// SPDX-License-Identifier: Apache-2.0

// Checks every call of the MPI module and the reductions of DataParallel, across ranks:
//
//     mpirun -np 4 mpi-checks
//
// Expected values are formulas in rank and size, so any number of ranks works.

import Glibc
import MPI

// A rank that waits for a message that never comes is ended by the system.
alarm(900)

do {
  try Environment.initialize()
  try Environment.initialize()  // the second call does nothing
  let world = try Communicator.world()
  let checker = Checker(world)
  try checkEnvironment(checker)
  try checkCommunicators(checker)
  try checkCollectives(checker, on: world)
  try checkPointToPoint(checker, on: world)
  try checkReduction(checker, on: world)
  try checkMPIReducer(checker, on: world)
  try checkRowReduction(checker, on: world)
  try checkReplicas(checker, on: world)
  // Once more where ranks are in the opposite order.
  let reversed = try world.split(color: 0, key: -world.rank)
  checker.expect("reversed rank", reversed.rank, world.size - 1 - world.rank)
  try checkCollectives(checker, on: reversed)
  try checkPointToPoint(checker, on: reversed)
  try checkReduction(checker, on: reversed)
  try checkRowReduction(checker, on: reversed)
  try checker.report()
} catch {
  print("mpi-checks: failed: \(error)")
  Environment.abort(code: 1)
}
Environment.finalize()
precondition(!Environment.isInitialized)
