import Datasets

extension TrainingConfiguration.Dataset {
  /// The keys of images that are shown as a whole.
  mutating func visitImages(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    let images = KeyUse.tasks(.classification).and(.view(.image))
    try visitor.field(
      "image_steps", &imageShow.steps, "T, the steps for which a network sees an image",
      .within(1...100_000), use: images)
    try visitor.field(
      "shown_steps", &imageShow.shownSteps,
      "after so many of them grey takes the place of the image; 0 shows it to the end",
      .within(0...100_000), use: images)
    try visitor.field(
      "grey", &imageShow.grey, "what grey is, of 0 ... 1", .within(0...1), use: images)
    try visitor.field(
      "shift", &imageShow.augmentation.shift,
      "training images move by up to so many pixels each way", .within(0...1000), use: images)
    try visitor.field(
      "flip", &imageShow.augmentation.flips,
      "training images are mirrored, left for right, with probability 1/2", use: images)
    try visitor.field(
      "noise", &imageShow.augmentation.noise,
      "the deviation of the noise on every image, of 0 ... 1; other noise in each epoch",
      .within(0...100), use: images)
  }
}
