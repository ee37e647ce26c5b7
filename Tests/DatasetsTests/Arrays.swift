// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@testable import Datasets

/// NumPy archives of a test, read as labelled sequences.
enum Arrays {
  static func read(
    _ add: (inout NumPyArchiveWriter) -> Void, inputs: String? = nil, targets: String? = nil,
    _ change: (inout ArrayArchive) -> Void = { _ in }
  ) throws -> SequenceArchive {
    var writer = NumPyArchiveWriter()
    add(&writer)
    return try Places.withTemporaryFolder { folder in
      let path = "\(folder)/a.npz"
      try Data(writer.archive).write(to: URL(fileURLWithPath: path))
      var archive = try ArrayArchive(archive: path, inputs: inputs, targets: targets)
      archive.testShare = 0.5
      change(&archive)
      return try archive.read()
    }
  }

  static func problem(_ add: (inout NumPyArchiveWriter) -> Void) -> String {
    do {
      _ = try read(add)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }
}
