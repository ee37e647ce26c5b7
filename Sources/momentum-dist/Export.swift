import ArgumentParser
import Checkpoints
import Training

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the parameters of a checkpoint as a safetensors file.",
    discussion: """
      The tensors have PyTorch's names, such as rnn.weight_hh_l0; what follows from training \
      besides them, such as the bases of orthogonal matrices, is under buffers/. With \
      --optimizer the state of the optimizer is there as well, under optimizer/. Of a run, the \
      newest checkpoint is taken. Checksums are compared first.
      """)

  @Argument(help: "A run's folder or a checkpoint's.")
  var path: String

  @Option(help: ArgumentHelp("The file to write.", valueName: "file.safetensors"))
  var to: String

  @Flag(help: "Write the state of the optimizer as well.")
  var optimizer = false

  func run() throws {
    do {
      let reader = try RunFolder.firstReadable(at: path)
      let own = "parameters/"
      let tensors = try reader.checkedTensors().compactMap { tensor -> CheckpointTensor? in
        guard tensor.path.hasPrefix(own) else {
          return tensor.path.hasPrefix("buffers/")
            || optimizer && tensor.path.hasPrefix("optimizer/") ? tensor : nil
        }
        var named = tensor
        named.path = String(tensor.path.dropFirst(own.count))
        return named
      }
      let manifest = reader.manifest
      try SafetensorsFile.write(
        tensors,
        metadata: [
          "step": "\(manifest.step)", "parameters_sha256": manifest.parametersSHA256,
          "program": manifest.machine.program,
        ], to: to)
      print("\(to): \(tensors.count) tensors of step \(manifest.step)")
    } catch {
      throw RunFailure(error)
    }
  }
}
