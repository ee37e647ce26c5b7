// SPDX-License-Identifier: Apache-2.0

import RandomNumbers
import Tensors

/// Random changes of training images, which a network learns to ignore.
///
/// The change of an image depends only on the seed, the epoch and the image's index in the data
/// set. So it is the same on any rank, in any batch and in any order.
public struct ImageAugmentation: Sendable, Equatable {
  /// k: an image is shifted by -k ... k pixels in both directions, each shift with the same
  /// probability. Zeros fill the rest.
  public var shift = 0
  /// Whether an image is flipped left to right with probability 1/2.
  public var flips = false
  /// The standard deviation of normal noise that is added to each number. The sum may be outside of
  /// 0 ... 1.
  public var noise = 0.0

  public init(shift: Int = 0, flips: Bool = false, noise: Double = 0) {
    precondition(shift >= 0 && noise >= 0, "a shift of \(shift) and noise of \(noise)")
    (self.shift, self.flips, self.noise) = (shift, flips, noise)
  }

  /// Whether it changes anything.
  public var isActive: Bool { shift > 0 || flips || noise > 0 }

  /// Changes the images of a batch in place.
  ///
  /// - Parameters:
  ///   - x: [N, Y, X, C], or any shape with these numbers in this order, such as [1, N, Y · X · C]
  ///   - image: [Y, X, C]
  ///   - indices: the indices of the images, N
  ///   - seed: the seed of the run
  ///   - epoch: the number of the epoch
  public func apply(
    to x: Tensor<Float>, image: [Int], indices: ArraySlice<Int>, seed: UInt64, epoch: Int
  ) {
    let size = image.reduce(1, *)
    precondition(
      image.count == 3 && x.count == size * indices.count,
      "\(x.shape) for \(indices.count) images of \(image)")
    guard isActive else { return }
    var whole = [Float](repeating: 0, count: size)
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        move(&x, at: n * size, image, index, seed, epoch, &whole)
        guard noise > 0 else { continue }
        var stream = RandomStream(
          seed: seed, purpose: .augmentation, site: 1, step: epoch, index: index)
        for place in n * size..<(n + 1) * size { x[place] += Float(noise * stream.normal()) }
      }
    }
  }

  /// Shifts and flips one image.
  private func move(
    _ x: inout MutableSpan<Float>, at start: Int, _ image: [Int], _ index: Int, _ seed: UInt64,
    _ epoch: Int, _ whole: inout [Float]
  ) {
    guard shift > 0 || flips else { return }
    let (height, width, channels) = (image[0], image[1], image[2])
    // All three are always drawn, so that one setting does not change another.
    var stream = RandomStream(seed: seed, purpose: .augmentation, step: epoch, index: index)
    let down = stream.below(2 * shift + 1) - shift
    let right = stream.below(2 * shift + 1) - shift
    let flip = stream.nextWord() & 1 == 1 && flips
    for place in whole.indices { whole[place] = x[start + place] }
    for row in 0..<height {
      for column in 0..<width {
        let (fromRow, moved) = (row - down, column - right)
        let fromColumn = flip ? width - 1 - moved : moved
        let isInside = 0..<height ~= fromRow && 0..<width ~= fromColumn
        for c in 0..<channels {
          x[start + (row * width + column) * channels + c] =
            isInside ? whole[(fromRow * width + fromColumn) * channels + c] : 0
        }
      }
    }
  }
}
