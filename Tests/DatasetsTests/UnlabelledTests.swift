// SPDX-License-Identifier: Apache-2.0

import Foundation
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Files of sequences without targets.
@Suite struct UnlabelledTests {
  private func read(
    _ name: String, _ text: String, features: Int? = nil, steps: Int? = nil,
    _ change: (inout UnlabelledFormat) -> Void = { _ in }
  ) throws -> UnlabelledSequences {
    var format = UnlabelledFormat()
    (format.features, format.steps) = (features, steps)
    change(&format)
    return try Places.withTemporaryFolder { folder in
      try TextFiles.write(Array(text.utf8), "\(folder)/\(name)")
      return try UnlabelledSequences("\(folder)/\(name)", format)
    }
  }

  private func arrays(
    _ features: Int?, _ add: (inout NumPyArchiveWriter) -> Void
  ) throws -> UnlabelledSequences {
    var (writer, format) = (NumPyArchiveWriter(), UnlabelledFormat())
    format.features = features
    add(&writer)
    return try Places.withTemporaryFolder { folder in
      try Data(writer.archive).write(to: URL(fileURLWithPath: "\(folder)/a.npz"))
      return try UnlabelledSequences("\(folder)/a.npz", format)
    }
  }

  @Test func wideTablesWithAndWithoutTheClass() throws {
    let plain = try read("a.csv", "1,2,3,4\n5,6,7,8\n", features: 2, steps: 2)
    #expect(plain.values == [1, 2, 3, 4, 5, 6, 7, 8] && plain.lengths == [2, 2])
    for label in ["up", "1"] {
      let labelled = try read("a.csv", "1,2,3,4,\(label)\n5,6,7,8,0\n", features: 2, steps: 2)
      #expect(labelled.values == plain.values)
      #expect(labelled.notes.contains { $0.contains("taken as the class and left out") })
    }
    // Of one feature and unequal lengths, numbers are values and words are classes.
    #expect(try read("a.csv", "1,2,3\n4,5\n", features: 1).lengths == [3, 2])
    #expect(try read("a.csv", "1,2,up\n4,5,6,down\n", features: 1).lengths == [2, 3])
  }

  @Test func aLineIsATimeStep() throws {
    let one = try read("a.csv", "t,p,q\n3,5,6\n1,1,2\n2,3,4\n", features: 2) {
      ($0.table.time, $0.table.values) = ("t", ["p", "q"])
    }
    #expect(one.values == [1, 2, 3, 4, 5, 6] && one.lengths == [3] && one.times == [1, 2, 3])
    let all = try read("a.csv", "p,q\n1,2\n3,4\n", features: 2, steps: 7)
    #expect(all.values == [1, 2, 3, 4] && all.lengths == [2])
    let long = try read("a.csv", "who,p,ill\nann,1,yes\nbob,2,no\nann,3,yes\n", features: 1) {
      ($0.table.id, $0.table.target) = ("who", "ill")
    }
    #expect(long.names == ["ann", "bob"] && long.values == [1, 3, 2] && long.lengths == [2, 1])
  }

  @Test func archivesWithoutClasses() throws {
    let plain = try read("a.ts", "@classLabel false\n@data\n1,2:3,4\n5:6\n", features: 2)
    #expect(plain.values == [1, 3, 2, 4, 5, 6] && plain.lengths == [2, 1])
    let labelled = try read("a.ts", "@classLabel true a b\n@data\n1,2:3,4:a\n5:6:?\n")
    #expect(labelled.values == plain.values)
    #expect(try read("a.ts", "@targetlabel true\n@data\n1,2:3,4:0.5\n").lengths == [2])
  }

  /// A sequence without a complete step does not shift the numbers of the others.
  @Test func sequencesOfArchivesKeepTheirNumbers() throws {
    let text = "@classLabel false\n@data\n?,?:3,4\n1,2:5,6\n7,?:8,9\n"
    let left = try read("a.ts", text) { $0.table.missing = .drop }
    #expect(left.rows == [1, 2] && left.lengths == [2, 1] && left.values == [1, 5, 2, 6, 7, 8])
    #expect(try read("a.ts", "@classLabel false\n@data\n1,2\n").rows == nil)
  }

  @Test func extentsOfArrays() throws {
    let six: [Float] = [1, 2, 3, 4, 5, 6]
    #expect(try arrays(1) { $0.add("x", six, shape: [2, 3]) }.lengths == [3, 3])
    #expect(try arrays(3) { $0.add("x", six, shape: [2, 3]) }.lengths == [2])
    #expect(try arrays(1) { $0.add("any", six, shape: [6]) }.lengths == [6])
    #expect(try arrays(2) { $0.add("x", six, shape: [1, 3, 2]) }.lengths == [3])
    let ragged = try arrays(2) {
      $0.add("x", six, shape: [3, 2])
      $0.add("offsets", [0, 1, 3] as [Int32], shape: [3])
    }
    #expect(ragged.lengths == [1, 2] && ragged.values == six && ragged.features == 2)
    let padded = try arrays(1) {
      $0.add("x", six, shape: [2, 3, 1])
      $0.add("lengths", [1, 3] as [Int32], shape: [2])
    }
    #expect(padded.lengths == [1, 3] && padded.values == [1, 4, 5, 6])
    #expect(throws: DatasetError.self) {
      try arrays(2) {
        $0.add("x", six, shape: [3, 2])
        $0.add("offsets", [0, 1, 4] as [Int32], shape: [3])
      }
    }
  }

  /// Pixels in a fixed order, and numbers as `prepare` stores them.
  @Test func viewsAndNormalisation() throws {
    let two = try arrays(2) { $0.add("x", [1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [2, 2, 2]) }
    let x = Tensor<Float>(shape: [4, 2, 1])
    let flat = try PlainSequences(two, kind: .classes(2), view: .permuted)
    _ = try flat.read([1, 0], into: x)
    let order = try PixelOrder.seed(1).indices(of: 4)
    #expect(x.array == order.flatMap { [Float(5 + $0), Float(1 + $0)] })
    let scaled = NormalisedSequences(
      try PlainSequences(two, kind: .classes(2)), scaling: 1,
      statistics: (mean: [1, 2], deviation: [2, 4]))
    let y = Tensor<Float>(shape: [3, 1, 2])
    _ = try scaled.read([1], into: y)
    #expect(y.array == [2, 1, 3, 1.5, 0, 0])
  }
}
