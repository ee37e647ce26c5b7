// SPDX-License-Identifier: Apache-2.0

import Benchmarks
import Foundation

/// The output of `bench scaling`: tables, or one JSON object per line.
struct ScalingOutput {
  let isActive: Bool
  let isJSON: Bool

  func begin(_ problem: StepProblem, parameters: Int, ranks: Int) {
    guard isActive, !isJSON else { return }
    print(
      "\(problem.system.name) H=\(problem.hidden) T=\(problem.steps) C=\(problem.inputs),"
        + " \(problem.layers) layer(s), \(parameters) parameters; \(problem.batch) sequences in"
        + " \(problem.shards) shards, strong: over all ranks, weak: on each")
    print(
      "        ranks hosts  s a step  speed-up  efficiency   compute   late    sum  optimizer  other"
    )
    fflush(nil)
  }

  func add(_ result: ScalingResult) throws {
    guard isActive else { return }
    if isJSON {
      print(try Bench.json(Line(kind: "measured", value: result)))
    } else {
      func share(_ seconds: Double) -> Double { 100 * seconds / result.secondsPerStep }
      print(
        result.scaling.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
          + String(
            format: "%6d%6d%10.4f%10.2f%9.1f %%%8.1f %%%5.1f %%%5.1f %%%9.1f %%%5.1f %%",
            result.ranks, result.hosts, result.secondsPerStep, result.speedup,
            100 * result.efficiency, share(result.computeSeconds), share(result.lateSeconds),
            share(result.reductionSeconds), share(result.optimizerSeconds),
            share(result.otherSeconds)))
    }
    fflush(nil)
  }

  func add(_ model: ScalingModel, linkIsGiven: Bool, ranks: Int) throws {
    guard isActive else { return }
    if isJSON { return print(try Bench.json(Line(kind: "model", value: model))) }
    func text(_ link: LinkSpeed) -> String {
      String(
        format: "a = %.1f us, b = %.4f ns a byte for each rank", link.latency * 1e6,
        link.secondsPerByte * 1e9)
    }
    let perHost = model.ranksPerHost
    let bytes = Double(model.gradientBytes) * 1e-6
    print(
      """

      model: T(n) = A(n) + sum over k < log2 n of (2 K + 1) a_k + P / 2^(k+1) (2 b_k + g)
        A(n): a step of one rank alone with its share of the batch, measured while n - 1 others do
              the same (at most \(ranks - 1), all there are here); it sums its own shards
        P = \(String(format: "%.3f", bytes)) MB of gradient in K = \(model.buckets) bucket(s); \
      an addition g = \(String(format: "%.4f", model.addSecondsPerByte * 1e9)) ns a byte, measured
        \(perHost > 1 ? "inside a host (2^k < \(perHost)): \(text(model.inside)), measured"
          : "one rank on each host")
        between hosts: \(text(model.between)), \(linkIsGiven ? "given" : "measured")
      assumes that the number of ranks is a power of two and no rank is late; gradients are summed
        after the backward pass; links are equal, full duplex, and shared only by a host's own ranks
              ranks hosts  s a step   alone     sum  efficiency  measured  prediction
      """)
  }

  func add(_ prediction: ScalingPrediction, beside measured: ScalingResult?) throws {
    guard isActive else { return }
    if isJSON { return print(try Bench.json(Line(kind: "predicted", value: prediction))) }
    let comparison =
      measured.map {
        String(
          format: "%10.4f%+10.1f %%", $0.secondsPerStep,
          100 * (prediction.predictedSecondsPerStep / $0.secondsPerStep - 1))
      } ?? ""
    print(
      prediction.scaling.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
        + String(
          format: "%6d%6d%10.4f%8.4f%8.4f%10.1f %%", prediction.ranks, prediction.hosts,
          prediction.predictedSecondsPerStep, prediction.aloneSeconds, prediction.reductionSeconds,
          100 * prediction.efficiency) + comparison)
    fflush(nil)
  }

  /// A value with a label.
  private struct Line<Value: Encodable>: Encodable {
    let kind: String
    let value: Value

    private enum CodingKeys: String, CodingKey { case kind }

    func encode(to encoder: any Encoder) throws {
      try value.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(kind, forKey: .kind)
    }
  }
}
