// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

/// The norm of dL/dh_t against t for one model, and how it was measured.
public struct ProbeCurve: Encodable, Sendable {
  /// The name of the curve in the figure.
  public var label: String
  /// The recurrent system.
  public var cell: String
  /// μ of the drive.
  public var mu: Double
  /// ε of the drive.
  public var epsilon: Double
  /// β of the drive.
  public var beta: Double
  /// F, steps between restarts.
  public var restart: Int
  /// H, units per layer.
  public var hiddenSize: Int
  /// The number of layers.
  public var layers: Int
  /// C, input features.
  public var inputs: Int
  /// T, time steps.
  public var steps: Int
  /// N, sequences.
  public var batch: Int
  /// Chooses parameters and sequences.
  public var seed: UInt64
  /// The source of the sequences.
  public var data: String
  /// The source of the parameters: a checkpoint's folder, or `initialisation`.
  public var parameters: String
  /// The mean loss of the sequences.
  public var loss: Double
  /// The mean norm at t = 1 ... T.
  public var norms: [Double]

  package init(
    label: String, cell: String, mu: Double, epsilon: Double, beta: Double, restart: Int,
    hiddenSize: Int, layers: Int, inputs: Int, steps: Int, batch: Int, seed: UInt64, data: String,
    parameters: String, loss: Double, norms: [Double]
  ) {
    self.label = label
    self.cell = cell
    self.mu = mu
    self.epsilon = epsilon
    self.beta = beta
    self.restart = restart
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.inputs = inputs
    self.steps = steps
    self.batch = batch
    self.seed = seed
    self.data = data
    self.parameters = parameters
    self.loss = loss
    self.norms = norms
  }

  /// t = 1, T/4, T/2, 3T/4, T.
  public var landmarks: [Int] { (0...4).map { max(1, norms.count * $0 / 4) } }
}

extension ProbeCurve {
  /// The curves in one chart, with t on the horizontal axis and the norm on a logarithmic vertical
  /// axis.
  ///
  /// - Parameter number: the number of each curve's line in the chart
  static func chart(of curves: [ProbeCurve], number: (Int) -> Int = { $0 }) -> LineChart {
    let series = curves.enumerated().map { index, curve in
      ChartSeries(
        label: curve.label,
        points: curve.norms.enumerated().map { ChartPoint(x: Double($0 + 1), y: $1) },
        number: number(index), style: .plain,
        note: curve.norms.first.map { String(format: "%.1e at t = 1", $0) } ?? "")
    }
    return LineChart(
      "gradient flow back through time", x: "time step t; the loss is at the end",
      y: "norm of dL/dh", series, isLogarithmic: true)
  }

  /// Writes a figure of the curves to an SVG file, whole or not at all.
  public static func draw(_ curves: [ProbeCurve], to path: String) throws(FileError) {
    try DurableFiles.write(chart(of: curves).figure, to: path)
  }
}
