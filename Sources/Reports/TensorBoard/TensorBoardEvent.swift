// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftProtobuf

// Makes the events that we write; the message types are generated from *.proto.
extension TensorBoardEvent {
  /// An event with the current time.
  init(step: Int, _ what: OneOf_What) {
    self.init()
    wallTime = Date().timeIntervalSince1970
    self.step = Int64(step)
    self.what = what
  }

  /// The event as a TFRecord: its length and its bytes, each with a checksum behind it.
  func record() throws -> Data {
    let message: [UInt8] = try serializedBytes()
    let length = littleEndian(UInt64(message.count))
    return Data(
      length + littleEndian(CRC32C.masked(length)) + message
        + littleEndian(CRC32C.masked(message)))
  }
}

private func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Number($0 * 8)) }
}
