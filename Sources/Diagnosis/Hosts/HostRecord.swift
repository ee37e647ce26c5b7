// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the first rank of a host found there, for rank 0 to compare.
struct HostRecord: Codable {
  var host: String
  /// How many ranks of the job run there.
  var ranks: Int
  /// What `Doctor` finds on the host.
  var findings: [Finding]
  var program: ProgramFile
  /// Whether the host has the file that rank 0 wrote to the folder for runs; nil if rank 0 could
  /// not write one.
  var seesOutput: Bool?
  /// The seconds that the host's clock is ahead of rank 0's.
  var clockOffset = 0.0

  /// The record as a message.
  var bytes: [UInt8] {
    do {
      return Array(try JSONEncoder().encode(self))
    } catch {
      preconditionFailure("a record without infinite numbers cannot be encoded: \(error)")
    }
  }
}

extension HostRecord {
  /// Reads the message of another rank of this program.
  init(bytes: [UInt8]) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch {
      preconditionFailure("the record of another host cannot be read: \(error)")
    }
  }
}
