import Foundation
import MPI

/// Whether a second thread of each rank would find a core to run on.
public enum FreeCores {
  /// Every rank calls this.
  public static func hasOneForEachRank(_ communicator: Communicator) throws(MPIError) -> Bool {
    let process = ProcessInfo.processInfo
    return answer(
      allowed: process.activeProcessorCount, all: process.processorCount,
      ranksHere: try communicator.splitByHost().size)
  }

  /// - Parameters:
  ///   - allowed: the cores that this process may run on
  ///   - all: those of the host
  static func answer(allowed: Int, all: Int, ranksHere: Int) -> Bool {
    // A rank that is bound has its cores for itself; ranks that are not bound share them.
    allowed < all ? allowed >= 2 : all >= 2 * ranksHere
  }
}
