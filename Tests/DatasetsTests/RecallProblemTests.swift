// SPDX-License-Identifier: Apache-2.0

@testable import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct RecallProblemTests {
  private func problem(_ placement: RecallProblem.Placement) -> RecallProblem {
    RecallProblem(
      placement, count: 200, delay: 12, symbols: 4, alphabet: 5, seed: 3, part: .train)
  }

  @Test func copyingShowsFirstAndAsksLast() {
    let problem = problem(.copying)
    #expect((problem.steps, problem.features) == (20, 7))
    for index in 0..<problem.count {
      let (inputs, targets) = problem.sequence(index)
      #expect(inputs[..<4].allSatisfy { (1...5).contains($0) })
      #expect(inputs[4..<15].allSatisfy { $0 == 0 })
      #expect(inputs[15] == 6)
      #expect(inputs[16...].allSatisfy { $0 == 0 })
      #expect(targets[..<16].allSatisfy { $0 == 0 })
      #expect(Array(targets[16...]) == Array(inputs[..<4]))
    }
  }

  @Test func denoiseScattersAndAsksInOrder() {
    let problem = problem(.denoise)
    var places = Set<[Int]>()
    for index in 0..<problem.count {
      let (inputs, targets) = problem.sequence(index)
      let shown = inputs.indices.filter { inputs[$0] != 0 && inputs[$0] != 6 }
      places.insert(shown)
      #expect(shown.count == 4 && shown.last! < 15 && inputs[15] == 6)
      #expect(Array(targets[16...]) == shown.map { inputs[$0] })
    }
    #expect(places.count > 150, "places are drawn for each sequence")
  }

  /// 10 ln 8 / (T + 20), the baseline of the literature.
  @Test func chanceIsThatOfTheLiterature() {
    let problem = RecallProblem(
      .copying, count: 1, delay: 100, symbols: 10, alphabet: 8, seed: 0, part: .train)
    #expect(abs(problem.chanceLoss - 10 * log(8.0) / 120) < 1e-15)
  }

  @Test func readsOneHotTimeFirst() throws {
    let problem = problem(.denoise)
    let x = Tensor<Float>(shape: [20, 2, 7])
    let classes = try problem.read([7, 3], into: x).whole
    for (n, index) in [7, 3].enumerated() {
      let (inputs, targets) = problem.sequence(index)
      for t in 0..<20 {
        let row = (0..<7).map { x[(t * 2 + n) * 7 + $0] }
        #expect(row.firstIndex(of: 1) == Int(inputs[t]) && row.reduce(0, +) == 1)
        #expect(classes[t * 2 + n] == Int32(targets[t]))
      }
    }
  }

  /// A file has the numbers that are generated, regardless of what fits in memory.
  @Test(arguments: [1 << 20, 0]) func filesHoldWhatIsGenerated(memoryLimit: Int) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/set.h5"
      let problem = problem(.copying)
      try GeneratedFile.write([.train: problem], to: path)
      try expectSame(
        try SequenceFileSource(path, task: "copying", part: .train, memoryLimit: memoryLimit),
        problem)
      let adding = AddingProblem(count: 30, steps: 9, seed: 1, part: .test)
      try GeneratedFile.write([.test: adding], to: path)
      try expectSame(
        try SequenceFileSource(path, task: "adding", part: .test, memoryLimit: memoryLimit), adding)
      #expect(throws: DatasetError.self) {
        try SequenceFileSource(path, task: "copying", part: .test)
      }
      #expect(throws: DatasetError.self) {
        try SequenceFileSource(path, task: "adding", part: .train)
      }
    }
  }

  private func expectSame(_ file: SequenceFileSource, _ problem: any SequenceSource) throws {
    #expect(file.count == problem.count && file.steps == problem.steps)
    #expect(file.features == problem.features && file.targetKind == problem.targetKind)
    let a = Tensor<Float>(shape: [file.steps, 3, file.features])
    let b = Tensor<Float>(shape: a.shape)
    a.fill(7)
    let indices = [4, 0, 17][...]
    #expect(try file.read(indices, into: a) == problem.read(indices, into: b))
    #expect(a.array == b.array)
  }
}
