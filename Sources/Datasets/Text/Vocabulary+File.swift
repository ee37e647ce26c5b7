// SPDX-License-Identifier: Apache-2.0

import HDF5

extension Vocabulary {
  /// Writes a file of only the vocabulary, which a run keeps next to its checkpoints.
  public func write(to path: String) throws(DatasetError) {
    try DatasetFile.create(at: path, isVocabulary: true) { file in
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try write(to: file)
    }
  }

  /// Reads the vocabulary from such a file or from a data set.
  public init(contentsOf path: String) throws(DatasetError) {
    do {
      self = try Vocabulary(DatasetFile.open(path), path: path)
    } catch {
      throw TextFile.unusable(path, error)
    }
  }
}
