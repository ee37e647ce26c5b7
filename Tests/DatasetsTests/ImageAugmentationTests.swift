// SPDX-License-Identifier: Apache-2.0

import Datasets
import Tensors
import Testing

@Suite struct ImageAugmentationTests {
  /// [Y, X, C] with numbers that tell where they came from, none of them zero.
  private let image = [4, 5, 2]

  private func batch(_ indices: [Int]) -> Tensor<Float> {
    let x = Tensor<Float>(shape: [indices.count] + image)
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        for place in 0..<40 { x[n * 40 + place] = Float(index * 100 + place + 1) }
      }
    }
    return x
  }

  private func augmented(
    _ augmentation: ImageAugmentation, _ indices: [Int], seed: UInt64 = 1, epoch: Int = 0
  ) -> [[Float]] {
    let x = batch(indices)
    augmentation.apply(to: x, image: image, indices: indices[...], seed: seed, epoch: epoch)
    let numbers = x.array
    return indices.indices.map { Array(numbers[$0 * 40..<($0 + 1) * 40]) }
  }

  @Test func nothingIsDoneUnlessAsked() {
    #expect(augmented(ImageAugmentation(), [3, 4]) == augmented(ImageAugmentation(), [3, 4]))
    #expect(augmented(ImageAugmentation(), [3])[0] == batch([3]).array)
  }

  /// An image is shifted as a whole, by up to two pixels, and zeros fill the rest.
  @Test func shiftsMoveWholeImages() {
    let all = augmented(ImageAugmentation(shift: 2), Array(0..<300))
    var seen: Set<[Int]> = []
    for (index, numbers) in all.enumerated() {
      let place = numbers.firstIndex { $0 != 0 }!
      let from = Int(numbers[place]) - index * 100 - 1
      let (down, right) = (place / 10 - from / 10, place % 10 / 2 - from % 10 / 2)
      #expect(abs(down) <= 2 && abs(right) <= 2)
      seen.insert([down, right])
      for y in 0..<4 {
        for x in 0..<5 {
          for c in 0..<2 {
            let isInside = 0..<4 ~= y - down && 0..<5 ~= x - right
            let origin = ((y - down) * 5 + x - right) * 2 + c
            let expected: Float = isInside ? Float(index * 100 + origin + 1) : 0
            #expect(numbers[(y * 5 + x) * 2 + c] == expected)
          }
        }
      }
    }
    #expect(seen.count == 25)
  }

  @Test func flipsMirrorAboutHalfOfTheImages() {
    let all = augmented(ImageAugmentation(flips: true), Array(0..<400))
    var flipped = 0
    for (index, numbers) in all.enumerated() {
      let own = batch([index]).array
      if numbers == own { continue }
      flipped += 1
      let mirrored = (0..<40).map { place -> Float in
        let (row, column, c) = (place / 10, place % 10 / 2, place % 2)
        return own[(row * 5 + 4 - column) * 2 + c]
      }
      #expect(numbers == mirrored)
    }
    #expect(abs(flipped - 200) < 50)  // five deviations
  }

  @Test func noiseHasItsDeviation() {
    let indices = Array(0..<500)
    let own = batch(indices).array
    let noise = zip(augmented(ImageAugmentation(noise: 0.5), indices).flatMap { $0 }, own)
      .map { Double($0 - $1) }
    let mean = noise.reduce(0, +) / 20_000
    let variance = noise.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 5 * 0.5 / 20_000.0.squareRoot())
    #expect(abs(variance - 0.25) < 5 * 0.25 * (2.0 / 20_000).squareRoot())
  }

  /// The seed, the epoch and the index decide; the batch and the other settings do not.
  @Test func changesFollowFromSeedEpochAndIndex() {
    let all = ImageAugmentation(shift: 2, flips: true, noise: 0.5)
    let whole = augmented(all, Array(0..<20))
    #expect(augmented(all, [7, 3]) == [whole[7], whole[3]])
    #expect(augmented(all, [7], seed: 2) != [whole[7]])
    #expect(augmented(all, [7], epoch: 1) != [whole[7]])
    let still = augmented(ImageAugmentation(shift: 2, flips: true), Array(0..<20))
    let moving = ImageAugmentation(shift: 2, flips: true)
    #expect(augmented(moving, Array(0..<20), epoch: 1) != still)
    #expect(augmented(moving, Array(0..<20), seed: 2) != still)
    for (moved, own) in zip(whole, still) {
      #expect(zip(moved, own).allSatisfy { abs($0 - $1) < 4 })
    }
  }
}
