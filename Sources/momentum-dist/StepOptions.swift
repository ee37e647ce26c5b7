// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Benchmarks
import Layers

extension Normalization: ExpressibleByArgument {}

/// The training step that `bench step` and `bench scaling` take, and how often.
struct StepOptions: ParsableArguments {
  @Option(help: "The recurrent system.")
  var cell = "momentum_lstm"
  @Option(help: "Norms in its gates: none, layer or assorted_time.")
  var normalization = Normalization.none
  @Option(help: ArgumentHelp("Steps that an assorted-time norm covers.", valueName: "k"))
  var window = 20
  @Option(
    help: ArgumentHelp(
      "Coefficients of a HiPPO memory; 0 uses one per unit.", valueName: "N"))
  var memoryOrder = 0
  @Option(
    help: ArgumentHelp("Height and width of the maps of a cell on maps.", valueName: "YxX"))
  var map = "28x28"
  @Option(help: ArgumentHelp("The side of its windows.", valueName: "K"))
  var kernel = 3
  @Option(
    help: ArgumentHelp(
      "The nodes of --cell graph, written as in model.graph.", valueName: "text"))
  var graph: String?
  @Option(help: "H, units per layer, or channels.")
  var hidden = 128
  @Option(help: "Sequences per step, over all ranks (with weak scaling: on each).")
  var batch = 128
  @Option(help: "T, time steps.")
  var time = 784
  @Option(help: "C, input features.")
  var input = 1
  @Option(help: "Recurrent layers.")
  var layers = 1
  @Option(
    help: ArgumentHelp(
      "Keep only the state of every k-th time step and recompute the rest; 0 keeps all.",
      valueName: "k"))
  var recomputeEvery = 0
  @Option(help: "Virtual shards, over all ranks (with weak scaling: on each).")
  var shards = 8
  @Option(help: "Bytes that are summed at once.")
  var bucketBytes = 1 << 20
  @Option(help: "Steps that are timed.")
  var repeats = 5
  @Option(help: "Untimed steps before them.")
  var warmup = 2
  @Flag(help: "Print JSON, one object a line.")
  var json = false

  func validate() throws {
    guard try Bench.system(cell).normalized(by: normalization) != nil || normalization == .none
    else {
      throw ValidationError(
        "--normalization \(normalization.rawValue): \(cell) cannot be given norms.")
    }
    guard hidden > 0, time > 0, input > 0, window > 0, layers > 0, shards > 0, repeats > 0,
      warmup >= 0, recomputeEvery >= 0, memoryOrder >= 0
    else {
      throw ValidationError("sizes and counts must be positive.")
    }
    guard let mapSize, (1...99).contains(kernel) else {
      throw ValidationError("--map \(map) --kernel \(kernel): give them as --map 28x28 --kernel 3.")
    }
    do {
      try nodes?.check(height: mapSize.height, width: mapSize.width, channels: input)
    } catch {
      throw ValidationError("--graph: \(error)")
    }
    guard graph == nil || cell == RecurrentSystem.graphName else {
      throw ValidationError("--graph is for --cell \(RecurrentSystem.graphName), not \(cell).")
    }
    guard try !Bench.system(cell).addsInput || input == hidden else {
      throw ValidationError("--cell \(cell) adds its input to its state: give --input \(hidden).")
    }
    guard bucketBytes >= 4 else {
      throw ValidationError("--bucket-bytes \(bucketBytes) is less than one number.")
    }
    guard batch >= shards else {
      throw ValidationError("--batch \(batch) is smaller than --shards \(shards).")
    }
  }

  /// The graph of --graph.
  private var nodes: LayerGraph? {
    get throws(LayerGraph.Problem) {
      guard let graph else { return nil }
      return try LayerGraph(graph)
    }
  }

  /// Height and width; nil if the text is not a size.
  private var mapSize: (height: Int, width: Int)? {
    let numbers = map.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let height = numbers[0], let width = numbers[1],
      (1...4096).contains(height), (1...4096).contains(width)
    else { return nil }
    return (height, width)
  }

  var problem: StepProblem {
    get throws {
      let system = try Bench.system(cell)
      var problem = StepProblem(system: system.normalized(by: normalization) ?? system)
      problem.window = window
      problem.memoryOrder = memoryOrder
      if let mapSize { (problem.mapHeight, problem.mapWidth) = mapSize }
      problem.kernel = kernel
      problem.graph = try nodes
      problem.hidden = hidden
      problem.batch = batch
      problem.steps = time
      problem.inputs = input
      problem.layers = layers
      problem.recomputeEvery = recomputeEvery
      problem.shards = shards
      problem.bucketBytes = bucketBytes
      return problem
    }
  }
}
