// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Configuration
import Datasets
import Foundation
import SwiftProtobuf
import Testing

@testable import Exports

/// The graphs that are written, without a program that runs them; `OnnxExportTests` runs them.
@Suite struct ExportsTests {
  /// The parameters of a model of one layer with 2 inputs, 3 units and 2 classes: every number
  /// says its place, counted through all of them.
  private func parameters(gates: Int, suffixes: [String] = ["_l0"]) -> [CheckpointTensor] {
    var next: Float = 0
    func tensor(_ path: String, _ shape: [Int]) -> CheckpointTensor {
      CheckpointTensor(
        path: path, shape: shape,
        values: (0..<shape.reduce(1, *)).map { _ in
          next += 1
          return next
        })
    }
    return suffixes.flatMap { suffix in
      [
        tensor("rnn.weight_ih\(suffix)", [3 * gates, 2]),
        tensor("rnn.weight_hh\(suffix)", [3 * gates, 3]),
        tensor("rnn.bias_ih\(suffix)", [3 * gates]), tensor("rnn.bias_hh\(suffix)", [3 * gates]),
      ]
    } + [
      tensor("readout.weight", [2, 3 * suffixes.count]), tensor("readout.bias", [2]),
    ]
  }

  private func configuration(_ settings: [String]) throws -> TrainingConfiguration {
    try TrainingConfiguration(
      yaml: "", path: "config.yaml",
      assignments: ["dataset.task=classification", "dataset.file=data.h5", "model.hidden_size=3"]
        + settings)
  }

  private func model(
    _ settings: [String], _ tensors: [CheckpointTensor], data: DataIdentity? = nil
  ) throws -> ONNXModel {
    let path = NSTemporaryDirectory() + "\(UUID().uuidString).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let export = ModelExport(
      try configuration(settings), data: data, tensors: tensors, metadata: ["cell": "x"])
    _ = try export.writeONNX(to: path, program: "1")
    return try ONNXModel(serializedBytes: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The numbers of a constant.
  private func floats(_ name: String, _ model: ONNXModel) throws -> [Float] {
    let tensor = try #require(model.graph.initializer.first { $0.name == name })
    let bytes = Array(tensor.rawData)
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(
        bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) })
    }
  }

  /// Gates stand in ONNX's order, weights and both biases alike.
  @Test(arguments: [("lstm", "LSTM", [0, 3, 1, 2]), ("gru", "GRU", [1, 0, 2])])
  func gatesHaveTheirOrder(cell: String, operation: String, order: [Int]) throws {
    let gates = order.count
    let model = try model(["model.cell=\(cell)"], parameters(gates: gates))
    func blocks(from first: Int, size: Int) -> [Float] {
      order.flatMap { block in (0..<size).map { Float(first + block * size + $0) } }
    }
    let inputs = 3 * gates * 2
    #expect(try floats("\(operation)_W", model) == blocks(from: 1, size: 6))
    #expect(try floats("\(operation)_R", model) == blocks(from: 1 + inputs, size: 9))
    let biases = 1 + inputs + 3 * gates * 3
    #expect(
      try floats("\(operation)_B", model)
        == blocks(from: biases, size: 3) + blocks(from: biases + 3 * gates, size: 3))
    let node = try #require(model.graph.node.first { $0.opType == operation })
    #expect(node.attribute.contains { $0.name == "hidden_size" && $0.i == 3 })
    #expect(
      node.attribute.contains { $0.name == "linear_before_reset" && $0.i == 1 } == (cell == "gru"))
  }

  /// States are inputs with a default of zeros, and outputs; sizes of the batch are free.
  @Test func statesGoInAndOut() throws {
    let model = try model(["model.cell=srlstm"], parameters(gates: 4))
    let states = ["h_l0", "c_l0", "v_l0"]
    #expect(model.graph.input.map(\.name) == ["inputs", "steps"] + states)
    #expect(
      model.graph.output.map(\.name)
        == ["outputs", "class", "probabilities"] + states.map { "\($0)_next" } + ["steps_next"])
    for name in states {
      #expect(try floats(name, model).allSatisfy { $0 == 0 })
    }
    let sizes = model.graph.input[0].type.tensorType.shape.dim
    #expect(sizes.map(\.dimParam) == ["N", "T", ""] && sizes[2].dimValue == 2)
    // The recurrence is a loop over all steps.
    let scan = try #require(model.graph.node.first { $0.opType == "Scan" })
    let body = try #require(scan.attribute.first { $0.name == "body" }).g
    #expect(body.input.count == 5 && body.output.count == 4)
    #expect(Set(body.output.map(\.name)).count == 4)
  }

  /// Every value is computed before it is used, and only once, in loops too.
  @Test(arguments: [
    ["model.cell=lstm"], ["model.cell=adam_lstm"], ["model.cell=nag_lstm"],
    ["model.cell=lstm", "model.bidirectional=true"], ["model.cell=lstm", "model.pooling=mean"],
  ])
  func graphsAreInOrder(settings: [String]) throws {
    let suffixes = settings.count > 1 && settings[1].contains("bi") ? ["_l0", "_l0_reverse"] : nil
    let model = try model(settings, parameters(gates: 4, suffixes: suffixes ?? ["_l0"]))
    var known = Set(model.graph.initializer.map(\.name))
    #expect(known.count == model.graph.initializer.count)
    check(model.graph, &known)
    #expect(model.irVersion == 8 && model.opsetImport.map(\.version) == [17])
    #expect(model.metadataProps.contains { $0.key == "cell" && $0.value == "x" })
  }

  private func check(_ graph: ONNXGraph, _ known: inout Set<String>) {
    known.formUnion(graph.input.map(\.name))
    for node in graph.node {
      for name in node.input where !name.isEmpty {
        #expect(known.contains(name), "\(name) of \(node.name)")
      }
      for attribute in node.attribute where attribute.type == .graph {
        var inside = known
        check(attribute.g, &inside)
      }
      for name in node.output { #expect(known.insert(name).inserted, "\(name) twice") }
    }
    for output in graph.output { #expect(known.contains(output.name)) }
  }

  /// Each task has the answers of `predict`.
  @Test(arguments: [
    ("classification", ["class", "probabilities"]), ("tagging", ["class", "probabilities"]),
    ("regression", ["values"]), ("forecast", ["forecast"]),
    ("next_frame", ["forecast", "predictions"]), ("masked_spikes", ["rates"]),
  ])
  func answersHaveTheNamesOfPredict(task: String, names: [String]) throws {
    let model = try model(
      ["model.cell=gru", "dataset.task=\(task)"], parameters(gates: 3))
    #expect(model.graph.output.map(\.name) == ["outputs"] + names + ["h_l0_next"])
  }

  /// What ONNX cannot hold is named in one line, with the file that can hold it.
  @Test func whatHasNoNodesIsNamed() throws {
    let tensors = ["ux", "uh", "hx", "hm"].map {
      CheckpointTensor(path: "rnn.weight_\($0)_l0", shape: [1, 2], values: [1, 2])
    }
    var timed = DataIdentity()
    timed.parts["train"] = .init(
      count: 1, steps: 2, features: 2, kind: "classes 2", times: Fingerprint(shape: [1, 2]))
    for (settings, data, words) in [
      (
        ["model.discretization=zoh", "model.memory_form=dense"], nil, "model.discretization is zoh"
      ), ([], timed, "learned from times"),
    ] as [([String], DataIdentity?, String)] {
      let error = #expect(throws: ExportError.self) {
        try model(["model.cell=hippo_legs"] + settings, tensors, data: data)
      }
      let line = try #require(error).description
      #expect(line.contains(words) && line.contains(".safetensors"), "\(line)")
      #expect(!line.contains("\n"))
    }
  }

  @Test func missingTensorsAreNamed() throws {
    let error = #expect(throws: ExportError.self) {
      try model(["model.cell=lstm"], parameters(gates: 4).filter { !$0.path.contains("bias_hh") })
    }
    #expect(try #require(error).description.contains("rnn.bias_hh_l0"))
  }
}
