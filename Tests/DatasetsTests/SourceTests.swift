// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

@Suite struct SourceTests {
  /// A data set of two images of 2x3 pixels.
  private func withDataset<Result>(_ body: (String) throws -> Result) throws -> Result {
    try Places.withTemporaryFolder { folder in
      func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      let images = IDXArrayTests.file([2, 2, 3], [0, 51, 102, 153, 204, 255] + Array(1...6))
      for part in ["train", "t10k"] {
        try write("\(part)-images-idx3-ubyte", images)
        try write("\(part)-labels-idx1-ubyte", IDXArrayTests.file([2], [4, 1]))
      }
      try MNISTFolder(contentsOf: folder).write(to: "\(folder)/sub/set.h5")
      return try body("\(folder)/sub/set.h5")
    }
  }

  @Test func viewsOfOneFile() throws {
    try withDataset { path in
      let rows = try FileSource(path, part: .train, view: .rows)
      #expect((rows.count, rows.steps, rows.features) == (2, 2, 3))
      #expect(rows.targetKind == .classes(5))
      let x = Tensor<Float>(shape: [2, 2, 3])
      let labels = try rows.read([1, 0], into: x).whole
      #expect(labels == [1, 4])
      // Time first: step 0 holds the first rows of both images, in the order asked for.
      let expected = [1, 2, 3, 0, 51, 102, 4, 5, 6, 153, 204, 255].map { Float($0) / 255 }
      for (a, b) in zip(x.array, expected) { #expect(abs(a - b) < 1e-6) }

      let pixels = try FileSource(path, part: .test, view: .pixels)
      #expect((pixels.steps, pixels.features) == (6, 1))
      let p = Tensor<Float>(shape: [6, 1, 1])
      _ = try pixels.read([0], into: p)
      #expect(p[5] == 1)

      let permuted = try FileSource(path, part: .test, view: .permuted)
      let q = Tensor<Float>(shape: [6, 1, 1])
      _ = try permuted.read([0], into: q)
      #expect(q.array != p.array && q.array.sorted() == p.array.sorted())
      // As x[order] in NumPy: the first step shows the pixel that the first index names.
      for order in [PixelOrder.seed(1), .seed(2), .bitReversal, .numpy(92916)] {
        let source = try FileSource(path, part: .test, view: .permuted, pixelOrder: order)
        _ = try source.read([0], into: q)
        #expect(q.array == (try order.indices(of: 6)).map { p[$0] }, "\(order)")
      }
      _ = try permuted.read([0], into: q)
      #expect(q.array == (try PixelOrder.seed(1).indices(of: 6)).map { p[$0] })
    }
  }

  @Test func refusesForeignFiles() throws {
    try Places.withTemporaryFolder { folder in
      #expect(throws: DatasetError.self) {
        try FileSource("\(folder)/none.h5", part: .train, view: .rows)
      }
      let path = "\(folder)/other.h5"
      let file = try HDF5.File.create(path)
      try file.close()
      #expect(throws: DatasetError.self) {
        try FileSource(path, part: .train, view: .rows)
      }
    }
  }

  @Test func splitsAreDisjointAndComplete() throws {
    let all = AddingProblem(count: 50, steps: 4, seed: 0, part: .train)
    let (rest, heldOut) = SubsetSource.split(all, holdingOut: 8)
    #expect(rest.count == 42 && heldOut.count == 8)
    func sequences(_ source: any SequenceSource) throws -> Set<[Float]> {
      Set(
        try (0..<source.count).map { index in
          let x = Tensor<Float>(shape: [4, 1, 2])
          _ = try source.read([index], into: x)
          return x.array
        })
    }
    let (a, b, whole) = (try sequences(rest), try sequences(heldOut), try sequences(all))
    #expect(a.isDisjoint(with: b))
    #expect(a.union(b) == whole)
  }

  @Test(arguments: [2, 3, 7, 100]) func addingMarksTwoNumbersAndAsksForTheirSum(steps: Int) throws {
    let source = AddingProblem(count: 30, steps: steps, seed: 5, part: .train)
    let x = Tensor<Float>(shape: [steps, 30, 2])
    let targets = try source.read(Array(0..<30)[...], into: x).numbers
    for n in 0..<30 {
      let values = (0..<steps).map { x[($0 * 30 + n) * 2] }
      let markers = (0..<steps).map { x[($0 * 30 + n) * 2 + 1] }
      #expect(markers.reduce(0, +) == 2)
      let sum = zip(values, markers).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      #expect(abs(sum - targets[n]) < 1e-6)
      // The first marker is before step ⌊(T-1)/2⌋, counted from 0, the second there or behind.
      let half = max((steps - 1) / 2, 1)
      #expect(markers[..<half].reduce(0, +) == 1 && markers[half...].reduce(0, +) == 1)
    }
  }

  @Test func addingsBaselineIsTheErrorOfAnsweringOne() throws {
    let source = AddingProblem(count: 4000, steps: 9, seed: 2, part: .train)
    let x = Tensor<Float>(shape: [9, 4000, 2])
    let targets = try source.read(Array(0..<4000)[...], into: x).numbers
    let error = targets.reduce(0.0) { $0 + Double(($1 - 1) * ($1 - 1)) } / 4000
    // Five standard errors: the square of a triangular number has variance 1/15 - 1/36.
    #expect(abs(error - AddingProblem.chanceError) < 5 * (0.0389 / 4000).squareRoot())
  }

  @Test func anEpochVisitsEverySequenceOnce() {
    let order = EpochOrder(count: 23, batchSize: 5, seed: 1, epoch: 2)
    #expect(order.batches == 5)
    #expect((0..<5).flatMap { order.batch($0) }.sorted() == Array(0..<23))
    #expect(order.batch(4).count == 3)
    let ragged = EpochOrder(
      count: 23, batchSize: 5, seed: 1, epoch: 2, length: { $0 * 7 % 11 })
    #expect((0..<5).flatMap { ragged.batch($0) }.sorted() == Array(0..<23))
    #expect(ragged.batch(4).count == 3)
    for batch in 0..<5 {
      let lengths = ragged.batch(batch).map { $0 * 7 % 11 }
      #expect(lengths == lengths.sorted(), "a batch holds neighbours in length")
    }
    let next = EpochOrder(count: 23, batchSize: 5, seed: 1, epoch: 3)
    #expect(Array(next.batch(0)) != Array(order.batch(0)))
  }
}
