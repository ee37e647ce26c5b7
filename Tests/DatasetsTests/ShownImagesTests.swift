// SPDX-License-Identifier: Apache-2.0

import Datasets
import HDF5
import TestSupport
import Tensors
import Testing

@Suite struct ShownImagesTests {
  /// Two images of 1 x 2 x 1.
  private func withImages(
    _ show: ImageShow, _ body: (ShownImages) throws -> Void
  ) throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/images.h5"
      try {
        let file = try HDF5.File.create(path)
        let train = try file.createGroup("train")
        try train.write([0.1, 0.2, 0.3, 0.4] as [Float], to: "inputs", shape: [2, 1, 2, 1])
        try train.write([0, 1] as [Int32], to: "targets", shape: [2])
      }()
      try body(
        ShownImages(try ImageSource(DatasetPlace(path), part: .train), as: show, seed: 3))
    }
  }

  private func read(_ source: ShownImages, _ indices: [Int]) throws -> [Float] {
    let x = Tensor<Float>(shape: [source.steps, indices.count, source.features])
    x.fill(9)
    _ = try source.read(indices[...], into: x)
    return x.array
  }

  @Test func anImageIsShownAndGreyAfterIt() throws {
    var show = ImageShow()
    (show.steps, show.shownSteps, show.grey) = (4, 2, 0.5)
    try withImages(show) { source in
      #expect(source.map == [1, 2, 1] && source.steps == 4 && source.features == 2)
      let image: [Float] = [0.3, 0.4, 0.1, 0.2]
      let grey = [Float](repeating: 0.5, count: 4)
      let shown = try read(source, [1, 0])
      #expect(shown == image + image + grey + grey)
    }
    show.shownSteps = 0
    try withImages(show) { source in
      let shown = try read(source, [0])
      #expect(shown == [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2])
    }
  }

  /// Noise is new in each epoch and the same in each evaluation. Only training flips images.
  @Test func whatIsDoneToImages() throws {
    var show = ImageShow()
    show.steps = 2
    show.augmentation = ImageAugmentation(flips: true, noise: 0.1)
    try withImages(show) { source in
      let evaluated = try read(source, [0, 1])
      var epochs: [[Float]] = []
      for epoch in 0..<20 {
        source.enter(epoch: epoch)
        epochs.append(try read(source, [0, 1]))
        #expect(epochs[epoch].prefix(4) == epochs[epoch].suffix(4), "the noise of one image")
      }
      #expect(Set(epochs.map { "\($0)" }).count == 20)
      source.enter(epoch: 5)
      let again = try read(source, [0, 1])
      #expect(again == epochs[5])
      source.enter(epoch: nil)
      let evaluatedAgain = try read(source, [0, 1])
      #expect(evaluatedAgain == evaluated)
      #expect(evaluated[0] != 0.1 && evaluated != epochs[0])
    }
    show.augmentation = ImageAugmentation(flips: true)
    try withImages(show) { source in
      let whole: [Float] = [0.1, 0.2, 0.1, 0.2]
      let unchanged = try read(source, [0])
      #expect(unchanged == whole)
      var seen: Set<String> = []
      for epoch in 0..<20 {
        source.enter(epoch: epoch)
        seen.insert("\(try read(source, [0]))")
      }
      #expect(seen == ["\(whole)", "\([0.2, 0.1, 0.2, 0.1] as [Float])"])
    }
  }
}
