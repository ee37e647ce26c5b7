// SPDX-License-Identifier: Apache-2.0

import Layers
import Testing

@testable import Benchmarks

@Suite struct LatencyTests {
  @Test func percentiles() {
    let hundred = Latency((1...100).map(Double.init).shuffled())
    #expect(hundred.median == 50 && hundred.percentile99 == 99 && hundred.longest == 100)
    let one = Latency([3])
    #expect(one.median == 3 && one.percentile99 == 3 && one.longest == 3)
  }

  private func problem(_ name: String) throws -> StepProblem {
    var problem = StepProblem(system: try #require(RecurrentSystem(named: name)))
    (problem.hidden, problem.layers, problem.steps, problem.inputs) = (6, 2, 5, 3)
    return problem
  }

  /// The answers of the timed steps equal those of the timed trial.
  @Test(arguments: ["momentum_lstm", "gru", "hippo_legs", "ln_lstm"])
  func aStreamIsTheTrial(name: String) throws {
    let run = try LatencyRun(try problem(name))
    #expect(run.isStream)
    run.trial()
    let whole = run.answers(5)
    for t in 0..<5 {
      run.step()
      let answer = run.answers(1)
      for (a, b) in zip(answer, whole[3 * t..<3 * t + 3]) { #expect(abs(a - b) < 1e-5) }
    }
  }

  @Test func whatHasNoStateHasNoStream() throws {
    let result = try LatencyBenchmark.run(try problem("ndt"), trials: 2, steps: 2, warmup: 0)
    #expect(result.step == nil && result.trial.median > 0)
    let other = try LatencyBenchmark.run(try problem("lstm"), trials: 2, steps: 2, warmup: 0)
    #expect(other.step != nil)
  }
}
