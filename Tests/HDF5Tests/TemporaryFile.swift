// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Testing

/// A folder that is removed with its files at the end.
final class TemporaryFolder {
  private let url = FileManager.default.temporaryDirectory.appending(path: "hdf5-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  /// The path of a file in the folder.
  func path(_ name: String = "test.h5") -> String {
    url.appending(path: name).path
  }

  /// Changes a file in place.
  func edit(_ name: String = "test.h5", _ body: (inout [UInt8]) -> Void) throws {
    var bytes = Array(try Data(contentsOf: url.appending(path: name)))
    body(&bytes)
    try Data(bytes).write(to: url.appending(path: name))
  }
}

/// Expects `body` to throw an `HDF5Error` on one line that contains all of `texts`.
func expectError(
  _ texts: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error, expected one with \(texts)", sourceLocation: sourceLocation)
  } catch let error as HDF5Error {
    let line = error.description
    #expect(!line.contains("\n"), sourceLocation: sourceLocation)
    for text in texts {
      #expect(line.contains(text), "\(line)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("unexpected error: \(error)", sourceLocation: sourceLocation)
  }
}

/// The first position of `pattern` in `bytes`.
func position(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
  bytes.indices.first { bytes[$0...].starts(with: pattern) }
}

/// The bytes of values as they are in memory.
func bytes<Scalar>(of values: [Scalar]) -> [UInt8] {
  values.withUnsafeBytes { Array($0) }
}
