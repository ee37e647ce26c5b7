// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation
import HDF5
import ImageFiles
import Tensors
import TestSupport
import Testing

@Suite struct ImageDatasetTests {
  private func write(_ data: Data, to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: path))
  }

  /// A color that tells which image it is.
  private func color(_ number: Int) -> [UInt8] { [UInt8(number), 100, UInt8(200 - number)] }

  /// Ten images of each of two classes, in folders named for them.
  private func writeClasses(_ folder: String, from start: Int = 0) throws {
    for (label, name) in ["dog", "cat"].enumerated() {
      for index in 0..<10 {
        try write(
          SampleImages.plain(color(start + label * 10 + index), width: 6, height: 4),
          to: "\(folder)/\(name)/\(index)x.png")
      }
    }
  }

  private func images(_ path: String, _ part: DatasetFile.Part) throws -> (ImageSource, [Float]) {
    let source = try ImageSource(path, part: part)
    let x = Tensor<Float>(
      shape: [source.count, source.height, source.width, source.channels])
    _ = try source.read(Array(0..<source.count)[...], into: x)
    return (source, x.array)
  }

  @Test func aFolderOfClassesIsSplitByItsSeed() throws {
    try Places.withTemporaryFolder { folder in
      try writeClasses("\(folder)/pets")
      try write(Data("x".utf8), to: "\(folder)/pets/cat/notes.txt")
      try write(Data("x".utf8), to: "\(folder)/pets/.hidden/x.png")
      func numbers(_ seed: UInt64) throws -> [DatasetFile.Part: Set<Int>] {
        let base = try openImageCorpus("\(folder)/pets")
        #expect(base.notes.count == 1 && base.notes[0].contains("1 files that do not end"))
        let corpus = SplitImages(base, validationShare: 0.3, seed: seed)
        let summary = try corpus.write(to: "\(folder)/pets.h5")
        #expect(summary.shape == [4, 6, 3])
        var found: [DatasetFile.Part: Set<Int>] = [:]
        for part in [DatasetFile.Part.train, .validation] {
          let (source, x) = try images("\(folder)/pets.h5", part)
          #expect(source.classNames == ["cat", "dog"])  // in order of the names
          #expect(source.targetKind == .classes(2))
          #expect((source.height, source.width, source.channels) == (4, 6, 3))
          #expect(summary.counts[part] == source.count)
          let y = Tensor<Float>(shape: [1, source.count, 72])
          let labels = try source.read(Array(0..<source.count)[...], into: y).whole
          #expect(y.array == x)
          found[part] = Set(
            labels.enumerated().map { index, label in
              let number = Int((x[index * 72] * 255).rounded())
              #expect(label == (number >= 10 ? 0 : 1))  // the cats are 10 ... 19
              return number
            })
        }
        #expect(found[.validation]!.count { $0 < 10 } == 3)
        #expect(found[.validation]!.count { $0 >= 10 } == 3)
        #expect(found[.train]!.union(found[.validation]!) == Set(0..<20))
        return found
      }
      let (first, other) = (try numbers(1), try numbers(2))
      #expect(try numbers(1) == first)
      #expect(first != other)
    }
  }

  @Test func imageNetsFoldersAreItsParts() throws {
    try Places.withTemporaryFolder { folder in
      try writeClasses("\(folder)/set/train")
      try writeClasses("\(folder)/set/val", from: 40)
      try write(SampleImages.rgb, to: "\(folder)/set/val/cat/deeper/y.JPEG")
      let corpus = try openImageCorpus("\(folder)/set")
      let summary = try corpus.write(
        to: "\(folder)/set.h5", fitting: ImageFitting(size: 2, channels: 1), compressing: true)
      #expect(summary.counts == [.train: 20, .validation: 21])
      #expect(summary.shape == [2, 2, 1])
      let (_, x) = try images("\(folder)/set.h5", .validation)
      // (57, 100, 143) is the eighth cat: 0.299 R + 0.587 G + 0.114 B = 92.
      #expect(x[7 * 4] == 92 * Float(1.0 / 255))
      try write(SampleImages.rgb, to: "\(folder)/set/val/bird/z.jpg")
      #expect(throws: DatasetError.self) { try openImageCorpus("\(folder)/set") }
    }
  }

  @Test func whatCannotBeReadIsNamedOrLeftOut() throws {
    try Places.withTemporaryFolder { folder in
      try writeClasses("\(folder)/pets")
      try write(SampleImages.rgb.prefix(200), to: "\(folder)/pets/dog/bad.jpg")
      let corpus = try openImageCorpus("\(folder)/pets")
      let error = #expect(throws: DatasetError.self) { try corpus.write(to: "\(folder)/p.h5") }
      let text = try #require(error).description
      #expect(text.contains("dog/bad.jpg: cannot be decoded as JPEG"))
      #expect(text.contains("--skip-unreadable"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/p.h5"))
      var left: [String] = []
      let summary = try corpus.write(to: "\(folder)/p.h5", skippingUnreadable: true) {
        if case .leftOut(let error) = $0 { left.append(error.path) }
      }
      #expect(summary.counts == [.train: 20])
      #expect(left == ["\(folder)/pets/dog/bad.jpg"])
      #expect(try images("\(folder)/p.h5", .train).0.count == 20)
      // One of another size.
      try write(
        SampleImages.plain([1, 2, 3], width: 5, height: 4), to: "\(folder)/pets/dog/bad.jpg")
      let other = #expect(throws: DatasetError.self) {
        try openImageCorpus("\(folder)/pets").write(to: "\(folder)/q.h5", skippingUnreadable: true)
      }
      #expect(try #require(other).description.contains("dog/bad.jpg: is [4, 5, 3]"))
    }
  }

  @Test func foldersWithoutClassesAreRefused() throws {
    try Places.withTemporaryFolder { folder in
      for path in [folder, "\(folder)/none"] {
        #expect(throws: DatasetError.self) { try openImageCorpus(path) }
      }
      try write(SampleImages.rgb, to: "\(folder)/a.jpg")
      #expect(throws: DatasetError.self) { try openImageCorpus(folder) }
      try write(Data("x".utf8), to: "\(folder)/class/a.txt")
      #expect(throws: DatasetError.self) { try openImageCorpus(folder) }
    }
  }

  @Test func arraysOfTheUsersOwn() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      let bytes = (0..<2 * 3 * 2 * 2).map { UInt8($0 * 10) }
      try file.write(bytes, to: "training/images", shape: [2, 3, 2, 2])
      try file.write([1, 0], to: "training/labels")
      try file.write(bytes.map { Float($0) / 255 }, to: "val/images", shape: [4, 3, 2])
      try file.write([0.0, 1, 1, 2], to: "val/labels", shape: [4, 1])
      try file.write([0.5, 1.5] as [Float], to: "bad/images", shape: [1, 1, 2])
      try file.write([0], to: "bad/labels")
      try file.setAttribute("class_names", ["a", "b", "c"])
      try file.close()
      var names = ImageArrays.Names()
      names.channelsFirst = true
      // [N, Y, X] has no channels to come first, and 2 channels are not colors.
      for name in [names, .init()] {
        #expect(throws: DatasetError.self) { try openImageCorpus(path, arrays: name) }
      }
      names = .init()
      names.images = "val/images"
      names.labels = "val/labels"
      let corpus = try openImageCorpus(path, arrays: names)
      #expect(corpus.classNames == ["a", "b", "c"])
      _ = try corpus.write(to: "\(folder)/out.h5")
      let (source, x) = try images("\(folder)/out.h5", .train)
      #expect((source.count, source.height, source.width, source.channels) == (4, 3, 2, 1))
      #expect(x == bytes.map { Float($0) * Float(1.0 / 255) })
      (names.images, names.labels) = ("bad/images", "bad/labels")
      let bad = try openImageCorpus(path, arrays: names)
      let error = #expect(throws: DatasetError.self) { try bad.write(to: "\(folder)/out.h5") }
      #expect(try #require(error).description.contains("bad/images[0]: holds 1.5"))
    }
  }

  @Test func channelsThatComeFirstAreMoved() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write((0..<12).map { Int32($0) }, to: "train/images", shape: [1, 3, 2, 2])
      try file.write([0], to: "train/labels")
      try file.close()
      var names = ImageArrays.Names()
      names.channelsFirst = true
      let image = try openImageCorpus(path, arrays: names).image(0, of: .train)
      #expect(image.pixels == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    }
  }

  /// MNIST's own file, and the same through `prepare images`, are the same images; recurrent nets
  /// read both.
  @Test func idxFilesAndTheirRows() throws {
    try Places.withTemporaryFolder { folder in
      for part in ["train", "t10k"] {
        try write(
          Data(IDXArrayTests.file([2, 2, 3], (0..<12).map { UInt8($0 * 20) })),
          to: "\(folder)/\(part)-images-idx3-ubyte")
        try write(
          Data(IDXArrayTests.file([2], [4, 1])), to: "\(folder)/\(part)-labels-idx1-ubyte")
      }
      try MNISTFolder(contentsOf: folder).write(to: "\(folder)/old.h5")
      let summary = try openImageCorpus(folder).write(to: "\(folder)/new.h5")
      #expect(summary.counts == [.train: 2, .test: 2] && summary.shape == [2, 3, 1])
      let (old, x) = try images("\(folder)/old.h5", .test)
      let (new, y) = try images("\(folder)/new.h5", .test)
      #expect((old.height, old.width, old.channels) == (2, 3, 1))
      #expect(x == y && x[1] == 20 * Float(1.0 / 255))
      #expect(old.targetKind == new.targetKind)
      for view in SequenceView.allCases {
        let sources = try ["old", "new"].map {
          try FileSource("\(folder)/\($0).h5", part: .test, view: view)
        }
        let read = try sources.map { source in
          let x = Tensor<Float>(shape: [source.steps, 2, source.features])
          _ = try source.read([0, 1], into: x)
          return [Float(source.steps), Float(source.features)] + x.array
        }
        #expect(read[0] == read[1], "\(view)")
      }
    }
  }

  @Test func rowsAndPixelsOfColors() throws {
    try Places.withTemporaryFolder { folder in
      let row: [UInt8] = [1, 2, 3, 4, 5, 6]
      try write(
        SampleImages.png(width: 2, color: 2, rows: [row, row.map { $0 + 6 }]),
        to: "\(folder)/c/a/x.png")
      _ = try openImageCorpus("\(folder)/c").write(to: "\(folder)/c.h5")
      for (view, steps, features) in [
        (SequenceView.rows, 2, 6), (.pixels, 4, 3), (.permuted, 4, 3),
      ] {
        let source = try FileSource("\(folder)/c.h5", part: .train, view: view)
        #expect((source.steps, source.features) == (steps, features))
        let x = Tensor<Float>(shape: [steps, 1, features])
        _ = try source.read([0], into: x)
        let numbers = x.array.map { Int(($0 * 255).rounded()) }
        guard view == .permuted else {
          #expect(numbers == Array(1...12))
          continue
        }
        // The three colors of a pixel stay together.
        #expect(numbers.sorted() == Array(1...12) && numbers != Array(1...12))
        for pixel in 0..<4 {
          let first = numbers[pixel * 3]
          #expect(numbers[pixel * 3..<pixel * 3 + 3] == [first, first + 1, first + 2])
        }
      }
    }
  }

  @Test func bytesOfTheUsersOwnAreDividedBy255() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/own.h5"
      let file = try HDF5.File.create(path)
      try file.write([0, 51, 255, 102] as [UInt8], to: "train/inputs", shape: [1, 2, 2, 1])
      try file.write([0.25, 0.5] as [Float], to: "test/inputs", shape: [1, 1, 2, 1])
      try file.write([Int32(3)], to: "train/targets")
      try file.write([Int32(3)], to: "test/targets")
      try file.write([Float(0)], to: "validation/inputs", shape: [1, 1])
      try file.write([Int32(3)], to: "validation/targets")
      try file.close()
      #expect(try images(path, .train).1.map { ($0 * 5).rounded() } == [0, 1, 5, 2])
      #expect(try images(path, .test).1 == [0.25, 0.5])
      #expect(throws: DatasetError.self) { try ImageSource(path, part: .validation) }
    }
  }
}
