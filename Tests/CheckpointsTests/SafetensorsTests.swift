// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  /// A file with one header and some numbers.
  private func file(_ header: String, _ numbers: [UInt8]) -> [UInt8] {
    let length = header.utf8.count
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + numbers
  }

  @Test func whatIsWrittenIsRead() throws {
    try Places.withTemporaryFolder { folder in
      let tensors = [
        CheckpointTensor(
          path: "a", shape: [2, 3], values: [1, -2, 0.5, .leastNonzeroMagnitude, 7, 8]),
        CheckpointTensor(path: "b", shape: [], values: [9]),
        CheckpointTensor(path: "c", shape: [0], values: []),
      ]
      let path = "\(folder)/x.safetensors"
      try SafetensorsFile.write(tensors, metadata: ["k": "v"], to: path)
      let read = try SafetensorsFile.tensors(
        in: Array(Data(contentsOf: URL(fileURLWithPath: path))), path: path)
      #expect(read.map(\.path) == ["a", "b", "c"])
      #expect(read.map(\.shape) == tensors.map(\.shape))
      #expect(read.map(\.values) == tensors.map(\.values))
    }
  }

  @Test(arguments: [
    ("F16", [0x00, 0x3e] as [UInt8], Float(1.5)), ("BF16", [0xc0, 0x3f], 1.5),
    ("F32", [0, 0, 0xc0, 0x3f], 1.5), ("F64", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5),
  ])
  func typesOfFloats(type: String, bytes: [UInt8], value: Float) throws {
    let header = #"{"x":{"dtype":"\#(type)","shape":[1],"data_offsets":[0,\#(bytes.count)]}}"#
    #expect(try SafetensorsFile.tensors(in: file(header, bytes), path: "x")[0].values == [value])
  }

  @Test(arguments: [
    (#"{"x":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}"#, "type I8"),
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "shape [2] in 4 bytes"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,99]}}"#, "place in the file"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, "place in the file"),
    (
      #"{"x":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,0]}}"#, "of shape"
    ),
    (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#, "of shape"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "not finite"), ("[1]", "not JSON"),
    (
      #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#,
      "overlap"
    ),
  ])
  func damageIsNamed(header: String, words: String) {
    let bytes = file(header, [0, 0, 0x80, 0x7f])
    #expect {
      try SafetensorsFile.tensors(in: bytes, path: "x")
    } throws: { error in
      "\(error)".contains(words) && "\(error)".hasPrefix("x")
    }
  }

  @Test func aHeaderThatIsTooLong() {
    for length in [UInt64(100), .max] {
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + [0x7b]
      #expect(throws: CheckpointError.self) { try SafetensorsFile.tensors(in: bytes, path: "x") }
    }
  }

  /// A header of many megabytes would take minutes and gigabytes to parse.
  @Test func aHeaderOfManyMegabytesIsNotParsed() {
    let header = #"{"__metadata__":{"k":"\#(String(repeating: "a", count: 1 << 24))"}}"#
    #expect {
      try SafetensorsFile.tensors(in: file(header, []), path: "x")
    } throws: { error in
      "\(error)".contains("has a header of 16777241 bytes, more than 16777216")
    }
  }
}
