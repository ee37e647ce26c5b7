import ArgumentParser
import Checkpoints
import Training

struct Export: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the parameters of a checkpoint as a safetensors file.",
    discussion: """
      The tensors have PyTorch's names, such as rnn.weight_hh_l0; what follows from training \
      besides them, such as the bases of orthogonal matrices, is under buffers/. With \
      --optimizer the state of the optimizer is there as well, under optimizer/. Where SGD was \
      averaged, the parameters are the averages, as in `evaluate`. Of a run, the newest checkpoint \
      is taken, or with --checkpoint best that of the lowest validation loss. Checksums are \
      compared first.

      The metadata say how to compute the model again: configuration, cell and constants, shapes, \
      class names, vocabulary and normalisation. Examples/momentum_dist_torch does so in PyTorch.
      """)

  @Argument(help: "A run's folder or a checkpoint's.")
  var path: String

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.safetensors"))
  var to: String

  @Flag(help: "Write the state of the optimizer as well.")
  var optimizer = false

  @Option(help: "Of a run, its best or its latest checkpoint.")
  var checkpoint = CheckpointChoice.latest

  func run() throws {
    try refuseOverwriting(to, unlessNamed: ".safetensors")
    let communicator = try Launch.communicator()
    let agreement = Agreement(communicator)
    let checkpoint = try TrainedCheckpoint(
      at: path, choice: checkpoint, agreement,
      saying: Training.Progress(isActive: communicator.rank == 0))
    let tensors = tensors(of: checkpoint)
    try agreement.together {
      guard communicator.rank == 0 else { return }
      let metadata = try ExportMetadata(checkpoint).texts
      try SafetensorsFile.write(tensors, metadata: metadata, to: to)
      print("\(to): \(tensors.count) tensors of step \(checkpoint.manifest.step)")
    }
  }

  /// What is to be written, under the names it gets.
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
