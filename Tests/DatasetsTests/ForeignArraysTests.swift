// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

@testable import Datasets

/// Arrays that NumPy did not save: of MATLAB, of HDF5, and of folders.
@Suite struct ForeignArraysTests {
  @Test func arraysOfMATLABAreRowMajor() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/a.mat"
      try SpikeFiles.matlab.write(to: URL(fileURLWithPath: path))
      let archive = try NumPyArchive(path)
      let array = try #require(archive["spikes"])
      #expect(array.shape == [2, 4, 3] && archive.names.contains("session.counts"))
      // Element (trial, step, neuron) is number trial + 2 step + 8 neuron.
      let expected = (0..<24).map { (place: Int) -> Float in
        let (trial, step, neuron) = (place / 12, place / 3 % 4, place % 3)
        return Float(trial + 2 * step + 8 * neuron)
      }
      #expect(try array.floats() == expected)
      #expect(try NumPyArchive(path, wanted: ["y"])["spikes"] == nil)
      // As inputs that `predict` reads, by their name.
      var format = UnlabelledFormat()
      format.inputs = "spikes"
      #expect(try UnlabelledSequences(path, format).values == expected)
    }
  }

  @Test func arraysOfHDF5AreFoundByTheirNames() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/a.h5"
      let file = try HDF5.File.create(path)
      // Two neighbours that are one Float.
      try file.write([16_777_217, 16_777_216, 16_777_217, 16_777_216] as [Int64], to: "train/y")
      try file.write((0..<8).map { Float($0) }, to: "train/x", shape: [4, 2, 1])
      try file.close()
      var archive = try ArrayArchive(archive: path, inputs: nil, targets: nil)
      archive.testShare = 0.5
      let read = try archive.read()
      #expect(read.classNames == ["16777216", "16777217"])
      let sequences = read.train.sequences + read.test.sequences
      #expect(Set(sequences) == [[0, 1], [2, 3], [4, 5], [6, 7]])
      // A file that `prepare` made is not prepared again.
      try read.write(
        to: "\(folder)/ours.h5", normalising: true, withTimes: false, compressing: false)
      #expect {
        _ = try ArrayArchive(archive: "\(folder)/ours.h5", inputs: nil, targets: nil)
      } throws: {
        "\($0)".contains("is a momentum-dist data set already; train on it")
      }
    }
  }

  /// Strings of both kinds that h5py writes are classes.
  @Test(.enabled(if: Self.hasH5py, "needs python3 with h5py, which is not here"))
  func stringsOfHDF5AreClasses() throws {
    try Places.withTemporaryFolder { folder in
      let made = try Program.python(
        """
        import h5py, numpy as np
        y = np.array(['sit', 'wälk'])[np.arange(6) % 2]
        for name, dtype in [('variable', h5py.string_dtype()), ('fixed', 'S5')]:
            with h5py.File(name + '.h5', 'w') as f:
                f['X'] = np.arange(12, dtype='f4').reshape(6, 2, 1)
                f.create_dataset('label', data=[s.encode() for s in y], dtype=dtype)
        """, in: folder)
      try #require(made.status == 0, "\(made.errors)")
      for name in ["variable", "fixed"] {
        let archive = try ArrayArchive(archive: "\(folder)/\(name).h5", inputs: nil, targets: nil)
        let read = try archive.read()
        #expect(read.classNames == ["sit", "wälk"])
        for (sequence, label) in zip(read.train.sequences, read.train.classes) {
          #expect(Int(sequence[0]) / 2 % 2 == Int(label))
        }
      }
    }
  }

  private static let hasH5py =
    (try? Program.python("import h5py", in: NSTemporaryDirectory()))?.status == 0

  /// A folder for each class, with sequences of unequal lengths; also split into train and test.
  @Test func foldersOfSequencesAreClasses() throws {
    try Places.withTemporaryFolder { folder in
      func write(_ path: String, _ values: [Float]) throws {
        let place = URL(fileURLWithPath: "\(folder)/\(path)")
        try FileManager.default.createDirectory(
          at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        let data = values.flatMap { value in
          (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 255) }
        }
        let file = NumPyArray.file(type: "<f4", shape: [values.count / 2, 2], data: data)
        try Data(file).write(to: place)
      }
      for (name, first) in [("walk", 0), ("run", 10)] {
        for index in 0..<3 {
          try write(
            "a/\(name)/\(index).npy", (0...(2 * index + 1)).map { Float(first + index + $0) })
        }
        try write("b/train/\(name)/x.npy", [Float(first), 1])
        try write("b/test/\(name)/y.npy", [Float(first), 2])
      }
      var all = try ArrayArchive(archive: "\(folder)/a", inputs: nil, targets: nil)
      all.testShare = 0.4
      let read = try all.read()
      #expect(read.features == 2 && read.classNames == ["run", "walk"])
      let sequences =
        zip(read.train.sequences, read.train.classes).map { ($0, $1) }
        + zip(read.test.sequences, read.test.classes)
      #expect(sequences.map(\.0.count).sorted() == [2, 2, 4, 4, 6, 6])
      for (sequence, label) in sequences { #expect((sequence[0] >= 10) == (label == 0)) }
      let split = try ArrayArchive(archive: "\(folder)/b", inputs: nil, targets: nil).read()
      #expect(split.train.sequences == [[10, 1], [0, 1]] && split.train.classes == [0, 1])
      #expect(split.test.sequences == [[10, 2], [0, 2]])
      #expect { _ = try NumPyArchive("\(folder)/a/walk") } throws: {
        "\($0)".contains("holds no .npy file in folders for classes; put the sequences of each")
      }
    }
  }
}
