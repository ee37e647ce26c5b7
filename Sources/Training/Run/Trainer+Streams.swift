import Checkpoints
import DataParallel
import Tensors

/// The recurrent state that the rows of a batch carry from step to step: a checkpoint holds it for
/// all rows by their global index, so that any rank count finds its own.
extension Trainer {
  private static let group = "streams"

  private var rows: RowGather {
    RowGather(session.communicator, plan: session.plan, count: configuration.batchSize)
  }

  /// What all ranks carry, [rows of the batch, width] each. All ranks call this.
  func gatherStreams() throws(RunFailure) -> [LiveTensor] {
    var tensors: [LiveTensor] = []
    for (name, mine) in session.workload.carried {
      do {
        tensors.append(
          LiveTensor(path: "\(Self.group)/\(name)", tensor: try rows.whole(mine)))
      } catch {
        throw RunFailure(error)
      }
    }
    return tensors
  }

  /// Takes this rank's rows out of a checkpoint.
  func restoreStreams(_ tensors: [CheckpointTensor], folder: String) throws(CheckpointError) {
    for (name, mine) in session.workload.carried {
      let width = mine.shape[1]
      let all = try tensors.values(
        "\(Self.group)/\(name)", shape: [configuration.batchSize, width], folder: folder)
      mine.copy(from: Array(all[rows.own.lowerBound * width..<rows.own.upperBound * width]))
    }
  }
}
