// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import DataParallel
import Tensors

/// The recurrent state that the rows of a batch carry from step to step. A checkpoint holds it for
/// all rows by their global index, so that a run can resume with any rank count.
extension Trainer {
  private static let group = "streams"

  private var rows: RowGather {
    RowGather(session.communicator, plan: session.plan, count: configuration.batchSize)
  }

  /// The state of all ranks, [rows of the batch] and the shape of a row. All ranks call this.
  func gatherStreams() throws(RunFailure) -> [LiveTensor] {
    var tensors: [LiveTensor] = []
    for (name, mine) in session.workload.model.carried {
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
  ///
  /// - Parameter batch: how many batches of its epoch the checkpoint has done. At the start of an
  ///   epoch the streams start again, so the checkpoint may have another batch size there.
  func restoreStreams(_ tensors: [CheckpointTensor], batch: Int, folder: String) throws {
    for (name, mine) in session.workload.model.carried {
      let row = Array(mine.shape.dropFirst())
      let width = row.reduce(1, *)
      let saved = tensors.first { $0.path == "\(Self.group)/\(name)" }?.shape ?? []
      if !saved.isEmpty, Array(saved.dropFirst()) == row, saved[0] != configuration.batchSize {
        guard batch > 0 else { continue }
        throw RunFailure(
          .configuration,
          "batch_size is \(configuration.batchSize), but the checkpoint \(folder) is in the middle"
            + " of an epoch with the state of \(saved[0]) columns; set batch_size=\(saved[0]) until"
            + " the epoch's end, or resume from a checkpoint at an epoch's start")
      }
      let all = try tensors.values(
        "\(Self.group)/\(name)", shape: [configuration.batchSize] + row, folder: folder)
      mine.copy(from: Array(all[rows.own.lowerBound * width..<rows.own.upperBound * width]))
    }
  }
}
