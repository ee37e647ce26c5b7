// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Datasets
import Foundation
import Files

/// A trained model in the form that other programs read.
public struct ModelExport {
  let configuration: TrainingConfiguration
  /// The identity of the data that it learned from, if known.
  let data: DataIdentity?
  /// Parameters, and the buffers of layers, by name, such as `rnn.weight_hh_l0`.
  let tensors: [String: CheckpointTensor]
  /// Texts by their keys.
  let metadata: [String: String]

  /// - Parameters:
  ///   - configuration: the configuration of the checkpoint
  ///   - data: the identity of its data; nil if it is unknown
  ///   - tensors: parameters and buffers by name
  ///   - metadata: texts about the model, by key
  public init(
    _ configuration: TrainingConfiguration, data: DataIdentity?, tensors: [CheckpointTensor],
    metadata: [String: String]
  ) {
    (self.configuration, self.data, self.metadata) = (configuration, data, metadata)
    let named = tensors.map { tensor in
      let isBuffer = tensor.path.hasPrefix("buffers/")
      return (isBuffer ? String(tensor.path.dropFirst("buffers/".count)) : tensor.path, tensor)
    }
    self.tensors = Dictionary(named) { $1 }
  }

  /// Writes the model as an ONNX file, under a temporary name until it is complete.
  ///
  /// - Returns: a short description of the inputs and outputs of its graph
  /// - Throws: `ExportError` if ONNX cannot hold it, `DatasetError` if the file cannot be written
  public func writeONNX(to path: String, program: String) throws -> String {
    let graph = try ModelGraph(self).graph
    var texts = metadata
    if let names = data?.meaning.classNames {
      texts["class_names"] = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
    }
    if let scaling = data?.meaning.scaling, scaling != 1 { texts["inputs_scaling"] = "\(scaling)" }
    let model = ONNXModel.with {
      ($0.irVersion, $0.producerName, $0.producerVersion) = (8, "momentum-dist", program)
      $0.docString = ModelGraph.explanation
      $0.graph = graph
      // The newest operators in it are of this version.
      $0.opsetImport = [.with { $0.version = 17 }]
      $0.metadataProps = texts.sorted { $0.key < $1.key }.map { text in
        .with { ($0.key, $0.value) = (text.key, text.value) }
      }
    }
    let size = graph.initializer.reduce(0) { $0 + $1.rawData.count }
    guard size < 2_000_000_000 else {
      throw ExportError(
        "\(path): has \(size) bytes of parameters, and an ONNX file at most 2 GB; write a file that"
          + " ends in .safetensors")
    }
    let bytes: Data = try model.serializedBytes()
    do {
      try DurableFiles.createFolder(DurableFiles.parent(of: path))
      try DurableFiles.replace(path) { (file) throws(FileError) in try file.write(bytes) }
    } catch {
      throw DatasetError.unwritable(path, error)
    }
    return graph.summary
  }
}

extension ONNXGraph {
  /// "inputs [N, T, 3] to class [N], probabilities [N, 2]; states h_l0, c_l0"
  var summary: String {
    let read = input.filter { value in !output.contains { $0.name == "\(value.name)_next" } }
    let given = output.filter { !$0.name.hasSuffix("_next") && $0.name != "outputs" }
    let states = output.filter { $0.name.hasSuffix("_next") }.map { $0.name.dropLast(5) }
    return read.map(\.summary).joined(separator: ", ") + " to "
      + given.map(\.summary).joined(separator: ", ")
      + (states.isEmpty ? "" : "; states \(states.joined(separator: ", "))")
  }
}

extension ONNXValueInfo {
  /// "inputs [N, T, 3]"
  fileprivate var summary: String {
    let sizes = type.tensorType.shape.dim.map { size in
      if case .dimParam(let letter) = size.value { letter } else { "\(size.dimValue)" }
    }
    return "\(name) [\(sizes.joined(separator: ", "))]"
  }
}
