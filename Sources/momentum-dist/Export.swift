// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Checkpoints
import Exports
import Files
import Training

struct Export: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a trained model as a safetensors or ONNX file, or its model card.",
    discussion: """
      The extension of FILE selects the format: .onnx is ONNX, .md a model card, anything else safetensors.

      momentum-dist export runs/waves --to waves.safetensors
      momentum-dist export runs/waves --checkpoint best --to waves.onnx
      momentum-dist export runs/waves --checkpoint best --to waves.md

      The tensors of safetensors have PyTorch's names, such as rnn.weight_hh_l0. Other results of training, such \
      as the bases of orthogonal matrices, are under buffers/. --optimizer adds the optimizer's \
      state under optimizer/. With averaged SGD, the parameters are the averages, as in `evaluate`. \
      For a run, the newest checkpoint is exported, or with --checkpoint best the one with the \
      lowest validation loss. Checksums are verified first.

      The metadata contain everything needed to rebuild the model: configuration, cell and \
      constants, shapes, class names, vocabulary and normalisation. Examples/momentum_dist_torch \
      does so in PyTorch.

      An ONNX file computes the answers of `predict` from raw inputs, for any numbers of sequences \
      and steps. The states are inputs, with zeros as their defaults, and outputs.
      """)

  @Argument(help: "A run's folder or a checkpoint's.")
  var path: String

  @Option(
    help: ArgumentHelp("The file to write: .safetensors, .onnx or .md.", valueName: "file"))
  var to: String

  @Flag(help: "Write the state of the optimizer as well.")
  var optimizer = false

  @Option(help: "Which checkpoint of a run: best or latest.")
  var checkpoint = CheckpointChoice.latest

  func run() throws {
    let format = ExportFormat(to)
    guard !optimizer || format == .safetensors else {
      throw RunFailure(
        .usage, "--optimizer is for safetensors; leave it out, or name a file.safetensors")
    }
    try format.refuseOverwriting(to)
    // A file of any other name would be safetensors; these names promise something else.
    let others = [".pt", ".pth", ".bin", ".h5", ".npz", ".ckpt"]
    if let other = others.first(where: to.hasSuffix) {
      throw RunFailure(
        .usage,
        "\(to): the file would be safetensors, not \(other); name it with .safetensors, which"
          + " PyTorch reads by safetensors.torch.load_file, or with .onnx")
    }
    let communicator = try Launch.communicator()
    let agreement = Agreement(communicator)
    let checkpoint = try TrainedCheckpoint(
      at: path, choice: checkpoint, agreement,
      saying: Training.Progress(isActive: communicator.rank == 0))
    let tensors = tensors(of: checkpoint)
    try agreement.together {
      guard communicator.rank == 0 else { return }
      let metadata = try ExportMetadata(checkpoint)
      print(try format.write(tensors, metadata, to: to).visible)
    }
  }

  /// The tensors to write, under their names in the file.
  private func tensors(of checkpoint: TrainedCheckpoint) -> [CheckpointTensor] {
    let own = checkpoint.parametersGroup + "/"
    let parameters = checkpoint.tensors.filter { $0.path.hasPrefix(own) }.map { tensor in
      var named = tensor
      named.path = String(tensor.path.dropFirst(own.count))
      return named
    }
    let groups = optimizer ? ["buffers/", "optimizer/"] : ["buffers/"]
    return parameters
      + checkpoint.tensors.filter { tensor in groups.contains { tensor.path.hasPrefix($0) } }
  }
}
