// SPDX-License-Identifier: Apache-2.0

import Tensors

/// How images are shown to a network over several time steps.
public struct ImageShow: Sendable, Equatable {
  /// T, steps of a sequence.
  public var steps = 10
  /// After this many steps grey replaces the image; 0 shows the image to the end.
  public var shownSteps = 0
  /// The value of grey, from 0 to 1.
  public var grey = 0.5
  /// Changes of the images of a training batch. Its noise is added in every batch.
  public var augmentation = ImageAugmentation()

  public init() {}
}

/// Images as sequences: each step has the whole image, and grey follows it (Nayebi et al., NeurIPS
/// 2018).
///
/// A step has the Y · X · C numbers of a map, channels last. Augmentation depends on the epoch and
/// the image's index, and the noise of an evaluation on the index alone.
public final class ShownImages: SequenceSource {
  private let images: any SequenceSource
  public let map: [Int]?
  private let show: ImageShow
  private let seed: UInt64
  private var epoch: Int?
  /// The epoch number that evaluations use. No run reaches it.
  private static let evaluation = 1 << 30

  /// - Parameters:
  ///   - images: the images
  ///   - show: how they are shown
  ///   - seed: of the augmentation
  public convenience init(_ images: ImageSource, as show: ImageShow, seed: UInt64) {
    self.init(
      images, map: [images.height, images.width, images.channels], as: show, seed: seed)
  }

  /// - Parameters:
  ///   - images: sequences of one step, each an image
  ///   - map: its shape [Y, X, C]
  ///   - show: how they are shown
  ///   - seed: of the augmentation
  public init(_ images: any SequenceSource, map: [Int], as show: ImageShow, seed: UInt64) {
    self.images = images
    self.map = map
    self.show = show
    self.seed = seed
  }

  public var count: Int { images.count }
  public var steps: Int { show.steps }
  public var features: Int { images.features }
  public var targetKind: TargetKind { images.targetKind }
  public var classNames: [String]? { images.classNames }
  public var notes: [String] { images.notes }

  public func enter(epoch: Int?) { self.epoch = epoch }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    precondition(
      x.shape == [steps, indices.count, features],
      "a buffer of \(x.shape) for [\(steps), \(indices.count), \(features)]")
    let first = x.row(0)
    let targets = try images.read(indices, into: x.rows(0..<1))
    let isTraining = epoch != nil
    let changes =
      isTraining ? show.augmentation : ImageAugmentation(noise: show.augmentation.noise)
    changes.apply(
      to: first, image: map!, indices: indices, seed: seed, epoch: epoch ?? Self.evaluation)
    let shown = show.shownSteps > 0 ? min(show.shownSteps, steps) : steps
    for step in 1..<max(steps, 1) {
      if step < shown { x.row(step).copy(from: first) } else { x.row(step).fill(Float(show.grey)) }
    }
    return targets
  }

  public func prefetch(_ indices: ArraySlice<Int>) throws(DatasetError) {
    try images.prefetch(indices)
  }

  public var isReady: Bool { images.isReady }

  public func identity() throws(DatasetError) -> DataIdentity.Part { try images.identity() }
}
