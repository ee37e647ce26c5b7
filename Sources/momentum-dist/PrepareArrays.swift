// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Training

struct PrepareArrays: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "arrays",
    abstract: "From arrays: NumPy, MATLAB, HDF5, or folders of .npy files.",
    discussion: """
      --from names a .npz file, a MATLAB file, an HDF5 file of your own, or a folder with a folder \
      of .npy files [T, C] for each class (in train and test, if there are both). --inputs and \
      --targets name arrays in it, or, without --from, .npy files.

      Inputs are [N, T, C], or [N, T] of one feature; of unequal lengths, all steps [F, C] with \
      offsets [N + 1] or lengths [N], or [N, T, C] with lengths. Targets are classes [N] (whole \
      numbers, text or one-hot), numbers to predict [N] or [N, K], or a class for each step [N, T]. \
      Inputs, and numbers to predict, are normalised by the mean and deviation of the training part.

      In an archive, the arrays are found by common names (x, y, x_train, y_test, ...), or by \
      --inputs and --targets. Without a test part, one is split off.

      momentum-dist prepare arrays --from data.npz --to data/data.h5
      momentum-dist prepare arrays --from rec.mat --inputs signals --targets kind --to data/rec.h5
      momentum-dist prepare arrays --from clips --to data/clips.h5
      momentum-dist prepare arrays --inputs x.npy --targets y.npy --to data/data.h5
      """)

  @Option(help: ArgumentHelp("A file or folder with inputs and targets.", valueName: "path"))
  var from: String?

  @Option(help: ArgumentHelp("The inputs: a file, or, with --from, a name.", valueName: "x"))
  var inputs: String?

  @Option(help: ArgumentHelp("The targets: a file, or, with --from, a name.", valueName: "y"))
  var targets: String?

  @Option(help: ArgumentHelp("The inputs of a test part.", valueName: "x.npy"))
  var testInputs: String?

  @Option(help: ArgumentHelp("The targets of a test part.", valueName: "y.npy"))
  var testTargets: String?

  @Option(
    help: ArgumentHelp(
      "What the targets are; by default, their type says.",
      valueName: "classification|regression|tagging|multilabel"))
  var task: SequenceArchive.Target?

  @Option(help: "The share of sequences held out as the test part if none is given.")
  var testShare = 0.2

  @OptionGroup var options: ArchiveOptions

  func validate() throws {
    try requireShare("test-share", testShare)
    guard from != nil || inputs != nil && targets != nil else {
      throw ValidationError("Give --from FILE.npz, or --inputs X.npy and --targets Y.npy.")
    }
    guard (testInputs == nil) == (testTargets == nil) else {
      throw ValidationError("--test-inputs and --test-targets belong together.")
    }
  }

  func run() throws {
    do {
      var archive =
        if let from {
          try ArrayArchive(archive: from, inputs: inputs, targets: targets)
        } else {
          ArrayArchive(train: (.init(inputs!), .init(targets!)))
        }
      if let testInputs, let testTargets {
        archive.test =
          from.map { (.init($0, testInputs), .init($0, testTargets)) }
          ?? (.init(testInputs), .init(testTargets))
      }
      (archive.task, archive.missing, archive.testShare) = (task, options.missing, testShare)
      try options.write(archive.read())
    } catch {
      throw RunFailure(error)
    }
  }
}
