// SPDX-License-Identifier: Apache-2.0

import Datasets

/// How the order of the pixels in the permuted view is chosen.
public enum PermutationChoice: String, ConfigurationChoice {
  /// A random order of this program, by its seed.
  case seed
  /// The indices with their bits reversed.
  case bitReversal = "bit_reversal"
  /// NumPy's `RandomState(seed).permutation`.
  case numpy
  /// The indices in a text file.
  case file
}

extension TrainingConfiguration.Dataset {
  /// The order of the pixels of the permuted view.
  package var pixelOrder: PixelOrder {
    switch permutation {
    case .seed: .seed(permutationSeed)
    case .bitReversal: .bitReversal
    case .numpy: .numpy(UInt32(truncatingIfNeeded: permutationSeed))
    case .file: .file(permutationFile)
    }
  }

  /// Visits the keys of the order of pixels.
  mutating func visitPermutation(
    _ visitor: inout some ConfigurationVisitor
  ) throws(ConfigurationError) {
    let permuted = KeyUse.tasks(.classification).and(.view(.permuted))
    try visitor.field(
      "permutation", &permutation,
      "the order of the permuted view: a random one by its seed, bit reversal, NumPy's"
        + " RandomState(seed).permutation, or the indices in a file", use: permuted)
    try visitor.field(
      "permutation_seed", &permutationSeed, "chooses the order of permutation seed and numpy",
      use: permuted.and(.permutations(.seed, .numpy)))
    // Moving the file changes nothing; a changed order is found by comparing the learned one.
    try visitor.field(
      "permutation_file", &permutationFile,
      "a text file of the indices of the pixels in their order, counted from 0", effect: .nothing,
      use: permuted.and(.permutations(.file)))
  }

  /// Refuses an impossible order of pixels.
  func checkPermutation() throws(ConfigurationError) {
    guard task == .classification, view == .permuted else { return }
    if permutation == .file, permutationFile.isEmpty {
      throw ConfigurationError(
        "dataset.permutation is file, but dataset.permutation_file is empty; name the text file of"
          + " the indices")
    }
    if permutation == .numpy, permutationSeed > UInt32.max {
      throw ConfigurationError(
        "dataset.permutation is numpy and dataset.permutation_seed \(permutationSeed); NumPy's seeds"
          + " are at most \(UInt32.max)")
    }
  }
}
