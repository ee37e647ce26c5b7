// SPDX-License-Identifier: Apache-2.0

internal import COpenMPI

extension Communicator {
  /// Waits until every rank has called this.
  ///
  /// The corresponding C function is `MPI_Barrier`.
  public func barrier() throws(MPIError) {
    try check(MPI_Barrier(handle))
  }
}
