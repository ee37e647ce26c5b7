// SPDX-License-Identifier: Apache-2.0

import Configuration
import Datasets
import Layers

/// The graph of a whole model, from inputs in the form of files to answers. Shapes use N sequences,
/// T steps, C inputs, H units, K outputs.
struct ModelGraph {
  private let export: ModelExport
  let builder = GraphBuilder()
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []

  static let explanation = """
    Every input but the first has a default: zeros start sequences, and lengths of -1 are all \
    steps. For a stream, feed each state NAME with NAME_next of the call before.
    """

  var configuration: TrainingConfiguration { export.configuration }
  var meaning: DataMeaning { export.data?.meaning ?? DataMeaning() }
  var train: DataIdentity.Part? { export.data?.parts[DatasetFile.Part.train.rawValue] }
  private var isLanguageModel: Bool { configuration.dataset.task == .languageModel }

  /// Y, X and C of inputs that are maps.
  private var map: [Int]? {
    guard configuration.dataset.task == .classification, configuration.dataset.view == .image,
      let shape = train?.inputs?.shape
    else { return nil }
    return Array((shape + [1])[1...3])
  }

  /// The whole graph.
  private(set) var graph = ONNXGraph()

  init(_ export: ModelExport) throws(ExportError) {
    self.export = export
    guard train?.times == nil else {
      throw ExportError(
        "model.cell is \(configuration.model.system.name) and the run learned from times of the"
          + " steps, which an ONNX file cannot hold; write a file that ends in .safetensors")
    }
    let x = builder.input("inputs")
    let layers = try makeLayers()
    let run = try makeRun(x, countingSteps: layers.contains(where: \.usesStepNumber))
    let values = try prepared(x)
    let (y, after) = addLayers(layers, values, run)
    try addAnswers(y, run)
    for (name, shape, value) in after {
      addOutput("\(name)_next", .float, ["N"] + shape.map(String.init), value, "The state after.")
    }
    if let steps = run.firstStep {
      let T = GraphValue.apply("Shape", [run.places])
      addOutput("steps_next", .int64, ["1"], steps + T, "The steps with those of this call.")
    }
    graph = builder.graph(inputs, outputs)
  }

  mutating func addOutput(
    _ name: String, _ type: ONNXTensorValue.DataType, _ shape: [String], _ value: GraphValue,
    _ explanation: String
  ) {
    let named = builder.rename(value, name)
    outputs.append(ONNXValueInfo(named.name, type, shape, explanation))
  }

  // MARK: Inputs

  /// Sizes and lengths of a call.
  private mutating func makeRun(
    _ x: GraphValue, countingSteps: Bool
  ) throws(ExportError) -> LayerRun {
    let features = try size
    let sizes = isLanguageModel ? [] : (map ?? [features]).map(String.init)
    inputs.append(
      ONNXValueInfo(
        x.name, isLanguageModel ? .int64 : .float, ["N", "T"] + sizes,
        isLanguageModel ? "Tokens, as numbers of the vocabulary." : inputExplanation))
    let shape = GraphValue.apply("Shape", [x])
    let T = shape.slice(1, 2, axis: 0)
    var lengths: GraphValue?
    if train?.offsets != nil, !isLanguageModel {
      let given = optional(builder.whole([-1], named: "lengths"))
      inputs.append(
        ONNXValueInfo("lengths", .int64, ["S"], "The valid steps of each sequence; -1 is all."))
      let isOpen = GraphValue.apply("Less", [given, builder.whole([0])])
      lengths = .apply(
        "Expand", [T.kept(where: isOpen, otherwise: given), shape.slice(0, 1, axis: 0)])
    }
    var firstStep: GraphValue?
    if carriesState, countingSteps {
      firstStep = optional(builder.whole([0], named: "steps"))
      inputs.append(
        ONNXValueInfo("steps", .int64, ["1"], "How many steps the sequences had before these."))
    }
    let places = GraphValue.apply(
      "Range", [builder.whole(0), T.droppingAxes([0]), builder.whole(1)])
    return LayerRun(
      graph: builder, rows: shape.slice(0, 1, axis: 0), places: places, firstStep: firstStep,
      lengths: lengths)
  }

  /// A constant that is an input's default.
  private func optional(_ value: GraphValue) -> GraphValue {
    GraphValue(name: value.name, graph: builder)
  }

  /// C
  private var size: Int {
    get throws(ExportError) {
      if isLanguageModel { return 0 }
      if let known = train?.features { return known }
      let tensors = LayerTensors(export.tensors, prefix: "rnn.", suffix: "_l0")
      for name in ["weight_ih", "weight_ux"] {
        if let shape = tensors.find(name)?.shape, shape.count == 2 { return shape[1] }
      }
      throw ExportError(
        "the checkpoint does not say how many features its inputs have; write a file that ends in"
          + " .safetensors")
    }
  }

  private var inputExplanation: String {
    let scaling =
      meaning.scaling == 1
      ? "" : " Whole numbers of a file are multiplied by inputs_scaling first."
    return meaning.statistics?.mean == nil
      ? "Numbers as the model learned them." + scaling
      : "Raw numbers, which the graph normalises." + scaling
  }

  /// The inputs in the form that the layers read: [T, N, C], or maps [T, N, C, Y, X].
  private func prepared(_ x: GraphValue) throws(ExportError) -> GraphValue {
    if isLanguageModel {
      let table = try LayerTensors(export.tensors, prefix: "", suffix: "").constant(
        "embedding.weight", in: builder)
      return GraphValue.apply("Gather", [table, x.transposed([1, 0])])
    }
    let features = try size
    var x = x
    if map != nil { x = .apply("Reshape", [x, builder.whole([0, 0, features])]) }
    if let mean = meaning.statistics?.mean, let deviation = meaning.statistics?.deviation {
      // In Double, because raw numbers may be far from 0.
      let centred =
        x.cast(to: .double) - builder.doubles(mean, shape: [mean.count])
      x = (centred / builder.doubles(deviation, shape: [deviation.count])).cast(to: .float)
    }
    x = x.transposed([1, 0, 2])
    guard let map, configuration.model.system.readsMaps else { return x }
    return GraphValue.apply("Reshape", [x, builder.whole([0, 0] + map)])
      .transposed([0, 1, 4, 2, 3])
  }

  // MARK: Layers

  /// Whether a state is carried from call to call.
  private var carriesState: Bool { !configuration.model.bidirectional }

  private func makeLayers() throws(ExportError) -> [any ExportedLayer] {
    let model = configuration.model
    let table = LayerTable(
      model: model, encoder: configuration.ndt, map: map, graph: builder)
    func direction(_ suffix: String) throws(ExportError) -> any ExportedLayer {
      try table.layer(LayerTensors(export.tensors, prefix: "rnn.", suffix: suffix))
    }
    // All layers of an encoder are one.
    guard !model.system.isEncoder else { return [try direction("")] }
    var layers: [any ExportedLayer] = []
    for level in 0..<model.layers {
      let forward = try direction("_l\(level)")
      layers.append(
        model.bidirectional
          ? BothWaysGraph(forward: forward, reverse: try direction("_l\(level)_reverse"))
          : forward)
    }
    return layers
  }

  /// [T, N, H] of the last layer, and the states after the call.
  private mutating func addLayers(
    _ layers: [any ExportedLayer], _ x: GraphValue, _ run: LayerRun
  ) -> (y: GraphValue, [(name: String, shape: [Int], value: GraphValue)]) {
    var (x, after) = (x, [(name: String, shape: [Int], value: GraphValue)]())
    for (level, layer) in layers.enumerated() {
      var before: [GraphValue]?
      let named = layer.states.map { (name: "\($0.name)_l\(level)", shape: $0.shape) }
      if carriesState {
        before = named.map { state in
          let zeros = builder.constant(
            [Float](repeating: 0, count: state.shape.reduce(1, *)), shape: [1] + state.shape,
            named: state.name)
          return run.forEachRow(optional(zeros), state.shape)
        }
        inputs += named.map {
          ONNXValueInfo(
            $0.name, .float, ["S"] + $0.shape.map(String.init), "The state before; zeros start.")
        }
      }
      let (y, final) = layer.run(x, from: before, run)
      if carriesState { after += zip(named, final).map { ($0.name, $0.shape, $1) } }
      x = y
    }
    if configuration.model.system.readsMaps {
      x = .apply("Reshape", [x.transposed([0, 1, 3, 4, 2]), builder.whole([0, 0, -1])])
    }
    return (x, after)
  }

  // MARK: Read-out

  /// y = h Wᵀ + b
  ///
  /// - Parameter h: [N, H] or [N, T, H]
  func readOut(_ h: GraphValue) throws(ExportError) -> (y: GraphValue, outputs: Int) {
    let prefix = isLanguageModel ? "decoder." : "readout."
    let own = LayerTensors(export.tensors, prefix: prefix, suffix: "")
    let all = LayerTensors(export.tensors, prefix: "", suffix: "")
    // A tied decoder has the weight of the embedding.
    let weight =
      own.find("weight") == nil
      ? try all.transposed("embedding.weight", in: builder)
      : try own.transposed("weight", in: builder)
    let bias = try own.constant("bias", in: builder)
    return (h.times(weight) + bias, try own.require("bias").values.count)
  }
}
