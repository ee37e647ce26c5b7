// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Training

struct Prepare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a data set file from your data.",
    subcommands: [
      PrepareMNIST.self, PrepareImages.self, PrepareSpeech.self, PrepareText.self, PrepareTS.self,
      PrepareCSV.self, PrepareArrays.self, PrepareSeries.self, PrepareSpikes.self,
      PrepareLorenz.self,
      PrepareAdding.self,
      PrepareCopying.self, PrepareDenoise.self,
    ])
}

/// The file that every `prepare` command writes.
struct OutputOption: ParsableArguments {
  @Option(help: ArgumentHelp("The HDF5 file to write.", valueName: "file.h5"))
  var to: String

  @Flag(help: "Make a smaller file, which takes longer to read.")
  var compress = false
}

struct PrepareMNIST: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mnist",
    abstract: "From the four IDX files of MNIST, Fashion-MNIST and similar.",
    discussion: """
      The folder holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte \
      and t10k-labels-idx1-ubyte, each plain or gzipped (.gz). One file serves all views of the \
      images: rows, pixels and permuted pixels are chosen when training.

      Fashion-MNIST comes with Debian's package dataset-fashion-mnist, in \
      /usr/share/datasets/fashion-mnist.
      """)

  @Option(help: ArgumentHelp("The folder of the IDX files.", valueName: "dir"))
  var from: String

  @OptionGroup var output: OutputOption

  func run() throws {
    do {
      let folder = try MNISTFolder(contentsOf: from)
      try folder.write(to: output.to, compressing: output.compress)
      let shape = folder.train.images.shape
      print(
        "\(output.to): \(shape[0]) training and \(folder.test.images.shape[0]) test images of"
          + " \(shape[1])x\(shape[2])")
    } catch {
      throw RunFailure(error)
    }
  }
}
