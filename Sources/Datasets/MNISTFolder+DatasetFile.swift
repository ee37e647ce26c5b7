// SPDX-License-Identifier: Apache-2.0

import HDF5

extension MNISTFolder {
  /// Writes the data set file for `train`: images as sequences of rows, pixels as they are.
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - compressing: makes a smaller file that takes longer to read
  public func write(to path: String, compressing: Bool = false) throws(DatasetError) {
    let classes = Int((train.labels.bytes + test.labels.bytes).max() ?? 0) + 1
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", "classification")
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("classes", classes)
      try file.setAttribute("scaling", 1.0 / 255)
      for (name, part) in [("train", train), ("test", test)] {
        try file.write(
          part.images.bytes, to: "\(name)/inputs", shape: part.images.shape,
          chunk: DatasetFile.chunk(part.images.shape, elementBytes: 1),
          deflate: DatasetFile.deflate(compressing), fletcher32: true)
        try file.write(
          part.labels.bytes.map { Int32($0) }, to: "\(name)/targets",
          shape: part.labels.shape, fletcher32: true)
      }
    }
  }
}
