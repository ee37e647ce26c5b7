// SPDX-License-Identifier: Apache-2.0

import Datasets

extension TrainingConfiguration.Dataset {
  /// The keys of images that are shown as a whole.
  mutating func visitImages(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    let images = KeyUse.tasks(.classification).and(.view(.image))
    try visitor.field(
      "image_steps", &imageShow.steps, "T, the steps during which a network sees an image",
      .within(1...100_000), use: images)
    try visitor.field(
      "shown_steps", &imageShow.shownSteps,
      "steps before grey replaces the image; 0 never replaces it",
      .within(0...100_000), use: images)
    try visitor.field(
      "grey", &imageShow.grey, "the value of grey, from 0 to 1", .within(0...1), use: images)
    try visitor.field(
      "shift", &imageShow.augmentation.shift,
      "training images are shifted by up to this many pixels in each direction", .within(0...1000),
      use: images)
    try visitor.field(
      "flip", &imageShow.augmentation.flips,
      "training images are mirrored left to right with probability 1/2", use: images)
    try visitor.field(
      "noise", &imageShow.augmentation.noise,
      "the standard deviation of the noise added to every image, new in each epoch",
      .within(0...100), use: images)
  }
}
