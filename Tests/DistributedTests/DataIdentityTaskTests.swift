// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import TestSupport
import Testing

/// Other data of the other tasks: another normalisation of frames, another scaling of bytes, other
/// letters.
@Suite(.serialized) struct DataIdentityTaskTests {
  /// Utterances of 6 frames of 2 numbers.
  static func frames(mean: Double, shift: Float = 0, to path: String) throws {
    let file = try HDF5.File.create(path)
    try file.setAttribute("format_version", 1)
    try file.setAttribute("task", "next_frame")
    try file.write([mean, 0.5], to: "feature_mean")
    try file.write([1.0, 1], to: "feature_std")
    for (part, count) in [("train", 24), ("validation", 8), ("test", 8)] {
      let values = (0..<count * 12).map {
        Float(($0 * 7) % 13) / 13 + (part == "validation" ? shift : 0)
      }
      try file.write(values, to: "\(part)/inputs", shape: [count * 6, 2])
      try file.write((0...count).map { $0 * 6 }, to: "\(part)/offsets")
    }
    try file.close()
  }

  @Test func framesOfOtherStatisticsAreRefused() throws {
    try DataIdentityRunTests.withCase { item in
      try Self.frames(mean: 1, to: "\(item.folder)/own.h5")
      try Self.frames(mean: 1.5, to: "\(item.folder)/other.h5")
      try Self.frames(mean: 1, shift: 0.5, to: "\(item.folder)/validation.h5")
      try item.run(
        "train \(DataIdentityRunTests.small) --set dataset.task=next_frame --set epochs=1",
        "--set dataset.file=own.h5 --output run")
      let other = try item.run("evaluate run --file other.h5", ranks: 2, status: 65)
      #expect(
        other.message.contains("other.h5: the inputs are normalised with other statistics"),
        "\(other.errors)")
      #expect(other.message.contains("feature_mean[0] is 1.5, not 1.0"))
      // Only the validation data differ.
      let resume = "train --resume run --set epochs=2 --set dataset.file=validation.h5"
      let refused = try item.run(resume, status: 65)
      #expect(
        refused.message.contains(
          "the inputs of the validation part are not those that the run was validated on"),
        "\(refused.errors)")
      let measured = try item.run(
        "evaluate run --split validation --set dataset.file=validation.h5")
      #expect(measured.errors.contains("note: validation.h5: the inputs of the validation part"))
      let test = try item.run("evaluate run --set dataset.file=validation.h5")
      #expect(!test.errors.contains("note:"), "\(test.errors)")
      let known = try item.run(resume, "--new-data")
      #expect(known.errors.contains("the best loss so far"), "\(known.errors)")
    }
  }

  @Test func bytesOfAnotherScalingAreRefused() throws {
    try DataIdentityRunTests.withCase { item in
      for (name, scaling) in [("own", 1.0 / 255), ("other", 1.0 / 128)] {
        let file = try HDF5.File.create("\(item.folder)/\(name).h5")
        try file.setAttribute("format_version", 1)
        try file.setAttribute("task", "classification")
        try file.setAttribute("classes", 3)
        try file.setAttribute("scaling", scaling)
        for (part, count) in [("train", 60), ("test", 30)] {
          let bytes = (0..<count * 8).map { UInt8($0 * 31 % 251) }
          try file.write(bytes, to: "\(part)/inputs", shape: [count, 4, 2])
          try file.write((0..<count).map { Int32($0 % 3) }, to: "\(part)/targets")
        }
        try file.close()
      }
      try item.run(
        "\(DataIdentityRunTests.classification) --set dataset.file=own.h5 --set epochs=1",
        "--output run")
      for command in ["evaluate run --file other.h5", "train --resume run --set epochs=2"] {
        let more = command.hasPrefix("train") ? "--set dataset.file=other.h5" : ""
        let refused = try item.run("\(command) \(more)", status: 65)
        #expect(
          refused.message.contains("other.h5: the inputs are multiplied by 0.0078125"),
          "\(refused.errors)")
      }
    }
  }

  /// An order of pixels means nothing for images of another size.
  @Test func imagesOfAnotherSizeHaveNoSuchOrder() throws {
    try DataIdentityRunTests.withCase { item in
      for (name, height) in [("own", 4), ("same", 4), ("larger", 5)] {
        try Self.images(height: height, to: "\(item.folder)/\(name).h5")
      }
      for view in ["permuted", "pixels"] {
        try item.run(
          "\(DataIdentityRunTests.classification) --set dataset.file=own.h5 --set epochs=1",
          "--set dataset.view=\(view) --output \(view)")
        try item.run("evaluate \(view) --file same.h5")
      }
      let larger = try item.run("evaluate permuted --file larger.h5", status: 65)
      #expect(
        larger.message.contains("larger.h5: has 10 pixels, but the run learned an order of 8"),
        "\(larger.errors)")
      try item.run("evaluate pixels --file larger.h5")
    }
  }

  /// The order is part of the identity, regardless of how it is chosen, and its file may move.
  @Test func anotherOrderOfPixelsIsRefused() throws {
    try DataIdentityRunTests.withCase { item in
      try Self.images(height: 4, to: "\(item.folder)/own.h5")
      let order = (0..<8).map { String($0 * 3 % 8) }
      try item.write(order.joined(separator: "\n"), to: "order.txt")
      try item.write(order.joined(separator: ", "), to: "moved.txt")
      try item.write(order.reversed().joined(separator: "\n"), to: "other.txt")
      try item.run(
        "\(DataIdentityRunTests.classification) --set dataset.file=own.h5 --set epochs=1",
        "--set dataset.view=permuted --set dataset.permutation=file",
        "--set dataset.permutation_file=order.txt --output run")
      try item.run("evaluate run")
      try item.run("evaluate run --set dataset.permutation_file=moved.txt", ranks: 2)
      let refusal = "own.h5: the order of the pixels is not the one that the run learned"
      for choice in [
        "permutation_file=other.txt", "permutation=seed", "permutation=bit_reversal",
        "permutation=numpy",
      ] {
        let measured = try item.run("evaluate run --set dataset.\(choice)", status: 65)
        #expect(measured.message.contains(refusal), "\(measured.errors)")
      }
      let resume = "train --resume run --set epochs=2 --set dataset.permutation_file"
      let resumed = try item.run("\(resume)=other.txt", ranks: 2, status: 65)
      #expect(
        resumed.message.contains(refusal) && resumed.message.contains("add --new-data"),
        "\(resumed.errors)")
      let moved = try item.run("\(resume)=moved.txt")
      #expect(!moved.errors.contains("note:"), "\(moved.errors)")
      let known = try item.run("\(resume)=other.txt --set epochs=3 --new-data")
      #expect(
        known.errors.contains("note: own.h5: the order of the pixels is not"), "\(known.errors)")
      // The file itself changed or disappeared.
      try item.write("0 1 2 3", to: "other.txt")
      let short = try item.run("evaluate run --set dataset.permutation_file=other.txt", status: 65)
      #expect(short.message.contains("other.txt: has 4 indices for 8 pixels"), "\(short.errors)")
      let none = try item.run("evaluate run --set dataset.permutation_file=none.txt", status: 65)
      #expect(none.message.contains("none.txt: "), "\(none.errors)")
    }
  }

  /// Images of two columns in three classes.
  private static func images(height: Int, to path: String) throws {
    let file = try HDF5.File.create(path)
    try file.setAttribute("format_version", 1)
    try file.setAttribute("task", "classification")
    try file.setAttribute("classes", 3)
    for (part, count) in [("train", 60), ("test", 30)] {
      let bytes = (0..<count * height * 2).map { UInt8($0 * 31 % 251) }
      try file.write(bytes, to: "\(part)/inputs", shape: [count, height, 2])
      try file.write((0..<count).map { Int32($0 % 3) }, to: "\(part)/targets")
    }
    try file.close()
  }

  @Test func otherLettersAreRefused() throws {
    try DataIdentityRunTests.withCase { item in
      for (name, text) in [("own", "abcab\n"), ("other", "abdab\n"), ("fewer", "ba\n")] {
        for part in ["train", "valid", "test"] {
          try item.write(String(repeating: text, count: 60), to: "\(name)/\(part).txt")
        }
        try item.run("prepare text --level character --from \(name) --to \(name).h5")
      }
      let language = DataIdentityRunTests.language.replacing("en.h5", with: "own.h5")
      try item.run(language, "--output run")
      let other = try item.run("evaluate run --file other.h5", status: 65)
      #expect(
        other.message.contains(
          "other.h5: character 2 of its vocabulary is \"d\", which the run did not learn"),
        "\(other.errors)")
      // Some of the letters, with other numbers.
      let fewer = try item.run("evaluate run --file fewer.h5")
      #expect(
        fewer.errors.contains("character 0 of the vocabulary is \"b\", which is 1 in the run"),
        "\(fewer.errors)")
    }
  }
}
