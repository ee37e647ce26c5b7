// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation

extension SafetensorsFile {
  /// The bytes of a file of at most 64 GB.
  public static func bytes(of path: String) throws(CheckpointError) -> [UInt8] {
    do {
      if let bytes = try DurableFiles.contents(of: path, limit: 1 << 36) { return bytes }
    } catch {
      throw CheckpointError(path, error.problem, cure: "name a safetensors file")
    }
    throw CheckpointError(path, "is larger than 64 GB", cure: "name a file of one model")
  }

  /// The file that a path which does not exist may mean: one next to it with nearly the same name;
  /// nil if there is none.
  public static func nearest(to path: String) -> String? {
    DurableFiles.nearest(to: path) { $0.hasSuffix(".safetensors") }
  }

  /// The tensors of a file, as 32-bit floats.
  ///
  /// - Parameters:
  ///   - bytes: the whole file
  ///   - path: its name in errors
  /// - Throws: `CheckpointError` if the file is damaged, holds a type other than F64, F32, F16 or
  ///   BF16, or a number that is not finite as a 32-bit float
  public static func tensors(
    in bytes: [UInt8], path: String
  ) throws(CheckpointError) -> [CheckpointTensor] {
    func damaged(_ problem: String) -> CheckpointError {
      CheckpointError(path, problem, cure: "check that the copy is complete, or export it again")
    }
    guard bytes.count >= 8 else { throw damaged("is shorter than the length of a header") }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8) else {
      throw damaged(
        "declares a header of \(length) bytes; it is not a safetensors file, or is cut short")
    }
    guard length <= longestHeader else {
      throw CheckpointError(
        path, "has a header of \(length) bytes, more than \(longestHeader)",
        cure: "save its tensors again without the metadata")
    }
    let start = 8 + Int(length)
    guard let json = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start])),
      let header = json as? [String: Any]
    else { throw damaged("has a header that is not JSON") }
    var tensors: [CheckpointTensor] = []
    var taken = 0
    for (name, value) in header.sorted(by: { $0.key < $1.key }) where name != "__metadata__" {
      guard let entry = value as? [String: Any], let type = entry["dtype"] as? String,
        let shape = entry["shape"] as? [Int], let place = entry["data_offsets"] as? [Int],
        place.count == 2, place[0] >= 0, place[0] <= place[1], place[1] <= bytes.count - start
      else { throw damaged("has a tensor \(name) without a type, a shape and a place in the file") }
      guard let read = reader(type) else {
        throw CheckpointError(
          path, "has a tensor \(name) of type \(type)", cure: "convert it to float32")
      }
      var count = 1
      for extent in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else {
          throw damaged("has a tensor \(name) of shape \(shape)")
        }
        count = product
      }
      let (size, overflow) = count.multipliedReportingOverflow(by: read.bytes)
      guard !overflow, size == place[1] - place[0] else {
        throw damaged("has a tensor \(name) of shape \(shape) in \(place[1] - place[0]) bytes")
      }
      // Tensors that share bytes could ask for more memory than the file has.
      taken += size
      guard taken <= bytes.count - start else { throw damaged("has tensors that overlap") }
      let own = bytes[start + place[0]..<start + place[1]]
      let values = stride(from: own.startIndex, to: own.endIndex, by: read.bytes).map { first in
        read.value(
          own[first..<first + read.bytes].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
      }
      guard values.allSatisfy(\.isFinite) else {
        throw damaged("has a tensor \(name) with numbers that are not finite")
      }
      tensors.append(CheckpointTensor(path: name, shape: shape, values: values))
    }
    return tensors
  }

  /// The most bytes of a header. Other readers take 100 MB, which are 12 s of work here; 16 MB are
  /// enough for the vocabulary of a million words.
  private static let longestHeader: UInt64 = 1 << 24

  /// How to read a type from its bits; nil if it is unknown.
  private static func reader(_ type: String) -> (bytes: Int, value: (UInt64) -> Float)? {
    switch type {
    case "F64": (8, { Float(Double(bitPattern: $0)) })
    case "F32": (4, { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) })
    case "F16": (2, { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) })
    case "BF16": (2, { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) })
    default: nil
    }
  }
}
