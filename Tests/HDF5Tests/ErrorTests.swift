// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HDF5

@Suite struct ErrorTests {
  /// A line that begins with the file's name does not say it again.
  @Test func theFileStandsOnceInALine() {
    let file = HDF5Error("open", "a/b.h5", "no such file")
    #expect(file.description == "a/b.h5: cannot open: no such file")
    #expect(file.description(in: "a/b.h5") == "cannot open: no such file")
    let object = HDF5Error("read", "a/b.h5:/train/x", "checksum")
    #expect(object.description(in: "a/b.h5") == "/train/x: cannot read: checksum")
    #expect(object.description(in: "c.h5") == object.description)
  }
}
