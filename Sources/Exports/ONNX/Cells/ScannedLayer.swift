// SPDX-License-Identifier: Apache-2.0

/// One step of a cell as nodes of a graph.
protocol CellGraph {
  /// The states that it carries from step to step, with the shape of a row in files.
  var states: [(name: String, shape: [Int])] { get }
  /// Whether a step depends on its number.
  var usesStepNumber: Bool { get }
  /// Whether its input and states are maps: [N, Y, X, C] outside, and [N, C, Y, X] in a step.
  var readsMaps: Bool { get }

  /// Computes the part that depends only on the inputs [T, N, C], for all steps together.
  func prepared(_ x: GraphValue) -> GraphValue
  /// - Parameters:
  ///   - x: the result of `prepared` for this step, [N, ...]
  ///   - before: the states, in their order
  ///   - number: how many steps of the sequence came before, one whole number
  /// - Returns: the output and the states
  func step(
    _ x: GraphValue, _ before: [GraphValue], number: GraphValue
  ) -> (y: GraphValue, after: [GraphValue])
}

extension CellGraph {
  var usesStepNumber: Bool { false }
  var readsMaps: Bool { false }
  func prepared(_ x: GraphValue) -> GraphValue { x }
}

/// A cell that ONNX's Scan runs through time.
struct ScannedLayer: ExportedLayer {
  let cell: any CellGraph

  var states: [(name: String, shape: [Int])] { cell.states }
  var usesStepNumber: Bool { cell.usesStepNumber }

  func run(
    _ x: GraphValue, from before: [GraphValue]?, _ run: LayerRun
  ) -> (y: GraphValue, after: [GraphValue]) {
    var start = before ?? states.map { run.zeros($0.shape) }
    if cell.readsMaps { start = start.map { $0.transposed([0, 3, 1, 2]) } }
    let first = run.firstStep
    let (after, outputs) = run.graph.scan(
      start, over: [cell.prepared(x), run.places]
    ) { before, elements in
      let (x, place) = (elements[0], elements[1])
      let number = first.map { place + $0.droppingAxes([0]) } ?? place
      var (y, after) = cell.step(x, before, number: number)
      if let lengths = run.lengths {
        // After the end of a sequence its state does not change.
        after = zip(after, zip(before, states)).map { new, old in
          let axes = Array(1...old.1.shape.count)
          let isValid = GraphValue.apply("Less", [place, lengths]).expandingAxes(axes)
          return new.kept(where: isValid, otherwise: old.0)
        }
      }
      return (after, [y])
    }
    return (
      outputs[0], cell.readsMaps ? after.map { $0.transposed([0, 2, 3, 1]) } : after
    )
  }
}
