// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Files
import Foundation
import ImageFiles
import Training

struct PrepareImages: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images",
    abstract: "From folders of PNG and JPEG files, IDX files, or HDF5.",
    discussion: """
      What --from names is recognised by its content:
      - A folder with a folder of PNG and JPEG files for each class, or, as ImageNet, with train \
      and val (or validation, test) that contain the classes. If there is no validation part, \
      --validation-share draws one from each class.
      - A folder of the four IDX files of MNIST and similar sets, plain or gzipped.
      - An HDF5 file with images [N, Y, X, C] or [N, Y, X] and labels [N]: whole numbers from 0 to \
      255, or fractions from 0 to 1.

      The file holds inputs [N, Y, X, C], 8 bits each, and targets [N]. With --size, the shorter \
      side is scaled to --shorter-side with a triangle filter as wide as the scale (antialiased, \
      as Pillow's BILINEAR), and a square is cut out of the middle. Without it, all images must \
      have one size. EXIF rotations and colour profiles are ignored, transparency is dropped, 16 \
      bits become 8, and CMYK becomes RGB.

      momentum-dist prepare images --from flowers --size 64 --to data/flowers.h5
      momentum-dist prepare images --from ImageNet --shorter-side 256 --size 224 \
      --skip-unreadable --to data/imagenet.h5
      """)

  @Option(help: ArgumentHelp("The folder of the images, or an HDF5 file.", valueName: "path"))
  var from: String

  @OptionGroup var output: OutputOption

  @Option(
    help: ArgumentHelp(
      "The side of the square that is cut out of the middle of each image.", valueName: "pixels"))
  var size: Int?

  @Option(
    help: ArgumentHelp(
      "With --size: the length of the shorter side before the square is cut out (default: --size).",
      valueName: "pixels"))
  var shorterSide: Int?

  @Option(
    help: ArgumentHelp(
      "1 for grey, 3 for red, green and blue (default: 3 for a folder of images, or else what is"
        + " stored).", valueName: "1|3"))
  var channels: Int?

  @Option(
    help: ArgumentHelp(
      "The share of the training images of each class that become the validation part, where"
        + " there is none; 0 for none (default: 0.1 for a folder of images, or else 0).",
      valueName: "share"))
  var validationShare: Double?

  @Option(
    help: ArgumentHelp("Chooses the images of --validation-share.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("The dataset of the images in an HDF5 file.", valueName: "name"))
  var images = "{part}/images"

  @Option(help: ArgumentHelp("Their labels.", valueName: "name"))
  var labels = "{part}/labels"

  @Flag(help: "Images in the HDF5 file are [N, C, Y, X].")
  var channelsFirst = false

  @Flag(help: "Leave out files that cannot be read, and name them, instead of stopping.")
  var skipUnreadable = false

  func validate() throws {
    if let size { try require("size", size, 1...4096) }
    if let shorterSide {
      guard let size else { throw ValidationError("--shorter-side needs --size.") }
      try require("shorter-side", shorterSide, size...8192)
    }
    if let channels, ![1, 3].contains(channels) {
      throw ValidationError("--channels is \(channels); expected 1 or 3.")
    }
    if let validationShare, !(validationShare >= 0 && validationShare < 1) {
      throw ValidationError(
        "--validation-share is \(validationShare); expected a number from 0 on and below 1.")
    }
  }

  func run() throws {
    do {
      var names = ImageArrays.Names()
      (names.images, names.labels, names.channelsFirst) = (images, labels, channelsFirst)
      var corpus = try openImageCorpus(from, arrays: names)
      let share = validationShare ?? (corpus is ImageFolder ? 0.1 : 0)
      if corpus.labels[.validation] == nil, share > 0 {
        corpus = SplitImages(corpus, validationShare: share, seed: seed)
      }
      for note in corpus.notes { print(note.visible) }
      let summary = try corpus.write(
        to: output.to,
        fitting: ImageFitting(size: size, shorterSide: shorterSide, channels: channels),
        skippingUnreadable: skipUnreadable, compressing: output.compress
      ) { report($0) }
      print(text(summary, classes: corpus.classes))
      print(
        "next: momentum-dist train --set dataset.task=classification"
          + " --set dataset.file=\(output.to)")
    } catch {
      throw RunFailure(error)
    }
  }

  private func text(_ summary: ImageSummary, classes: Int) -> String {
    let counts = DatasetFile.Part.allCases.compactMap { part in
      summary.counts[part].map { "\($0) \(part == .train ? "training" : part.rawValue)" }
    }
    let list =
      counts.count < 3
      ? counts.joined(separator: " and ")
      : counts.dropLast().joined(separator: ", ") + " and " + counts.last!
    return "\(output.to): \(list) images of \(summary.shape[1])x\(summary.shape[0]),"
      + " C=\(summary.shape[2]), \(classes) classes"
  }

  /// Prints the progress on standard error.
  private func report(_ progress: ImageProgress) {
    let line: String
    switch progress {
    case .done(let count, let all):
      guard count % 5000 == 0, count < all else { return }
      line = "\(count) of \(all) images"
    case .leftOut(let error):
      line = "left out: \(error)"
    }
    Launch.say(line)
  }
}
