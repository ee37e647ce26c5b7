// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Testing

@Suite struct FileTests {
  let folder = try! TemporaryFolder()

  @Test func filesThatCannotBeOpened() throws {
    expectError("\(folder.path("none.h5")): cannot open: no such file") {
      _ = try File.open(folder.path("none.h5"))
    }
    try Data("a text, and not a short one, for HDF5 looks far ahead".utf8)
      .write(to: URL(filePath: folder.path("text.h5")))
    expectError("text.h5: cannot open: this is not an HDF5 file") {
      _ = try File.open(folder.path("text.h5"))
    }
    try Data().write(to: URL(filePath: folder.path("empty.h5")))
    expectError("this is not an HDF5 file") { _ = try File.open(folder.path("empty.h5")) }
    expectError("this is a directory") { _ = try File.open(folder.path("")) }
    expectError("cannot create", "No such file") {
      _ = try File.create(folder.path("missing/test.h5"))
    }
  }

  @Test func truncatedFile() throws {
    let file = try File.create(folder.path())
    try file.write([Float](repeating: 1, count: 10_000), to: "x")
    try file.close()
    try folder.edit { $0.removeLast(5000) }
    expectError("cannot open", "truncated file") { _ = try File.open(folder.path()) }
  }

  /// A lock of another process; the file is not open in this one.
  @Test func lockedFile() throws {
    try File.create(folder.path()).close()
    let descriptor = open(folder.path(), O_RDWR)
    defer { close(descriptor) }
    try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    expectError("the file is locked", "HDF5_USE_FILE_LOCKING=FALSE") {
      _ = try File.open(folder.path())
    }
  }

  @Test func overwriting() throws {
    try File.create(folder.path()).write([1] as [Float], to: "x")
    expectError("cannot create", "exists") {
      _ = try File.create(folder.path(), overwrite: false)
    }
    #expect(try File.open(folder.path()).contains("x"))
    #expect(try !File.create(folder.path()).contains("x"))
  }

  @Test func accessModes() throws {
    try File.create(folder.path()).close()
    do {
      let file = try File.open(folder.path())
      expectError("cannot create the dataset") { try file.write([1] as [Float], to: "x") }
    }
    do {
      let file = try File.open(folder.path(), .readWrite)
      try file.write([1] as [Float], to: "x")
    }
    #expect(try File.open(folder.path()).readAll("x", as: Float.self) == [1])
  }

  @Test func closingEndsWhatIsOpen() throws {
    let file = try File.create(folder.path())
    let dataset = try file.write([1, 2] as [Float], to: "group/x")
    let group = try file.group("group")
    try file.close()
    try file.close()
    expectError("cannot read") { _ = try dataset.read(as: Float.self) }
    expectError("cannot list") { _ = try group.childNames() }
    expectError("cannot write") { try file.setAttribute("a", 1) }
    #expect(!file.contains("group") && !group.contains("x"))
    // Nothing of this process holds the file, so another lock on it is granted.
    let descriptor = open(folder.path(), O_RDWR)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
  }

  @Test func objectsOutliveTheirFile() throws {
    try File.create(folder.path()).write([1, 2] as [Float], to: "x")
    let dataset = try File.open(folder.path()).dataset("x")
    #expect(try dataset.read(as: Float.self) == [1, 2])
  }

  @Test func equalContentMakesEqualBytes() throws {
    for name in ["a.h5", "b.h5"] {
      let file = try File.create(folder.path(name))
      try file.write([1, 2] as [Float], to: "group/x", fletcher32: true)
      try file.setAttribute("note", "same")
      try file.close()
      if name == "a.h5" { Thread.sleep(forTimeInterval: 1.1) }  // times are in seconds
    }
    #expect(
      FileManager.default.contentsEqual(atPath: folder.path("a.h5"), andPath: folder.path("b.h5")))
  }

  @Test func groups() throws {
    let file = try File.create(folder.path())
    let group = try file.createGroup("b/c")
    try group.write([1] as [Int], to: "x")
    try file.write([2] as [Int], to: "a")
    #expect(try file.childNames() == ["a", "b"])
    #expect(try file.group("b").childNames() == ["c"])
    #expect(try group.childNames() == ["x"])
    for name in ["a", "b", "b/c", "b/c/x", "/b/c/x", "b/"] {
      #expect(file.contains(name), "\(name)")
    }
    for name in ["", "c", "a/x", "b/d/x", "b/c/x/y"] {
      #expect(!file.contains(name), "\(name)")
    }
    #expect(group.contains("/a") && file.contains("/"))
    #expect(file.isGroup("b") && file.isGroup("b/c"))
    #expect(!file.isGroup("a") && !file.isGroup("none"))
    expectError("test.h5:/b/c: cannot create the group", "exists") { try file.createGroup("b/c") }
    expectError("test.h5:/none: cannot open the group") { _ = try file.group("none") }
    expectError("test.h5:/b/c/none: cannot open the dataset") { _ = try group.dataset("none") }
    expectError("test.h5:/b: cannot open the dataset") { _ = try file.dataset("b") }
    expectError("test.h5:/a: cannot open the group") { _ = try file.group("a") }
  }
}
