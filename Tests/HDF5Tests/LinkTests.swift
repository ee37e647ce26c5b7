// SPDX-License-Identifier: Apache-2.0

import Foundation
import HDF5
import Testing

/// Files that lead to others. Only the file itself is ever opened.
@Suite struct LinkTests {
  /// A pipe that nothing writes to: opening it would wait forever.
  private func pipe(_ folder: TemporaryFolder) -> String {
    let path = folder.path("pipe.h5")
    mkfifo(path, 0o600)
    return path
  }

  @Test(.timeLimit(.minutes(15))) func aPipeIsNoFileAndIsNotWaitedFor() throws {
    let folder = try TemporaryFolder()
    let path = pipe(folder)
    expectError("this is not a regular file") { _ = try File.open(path) }
    expectError("this is not a regular file") { _ = try File.open("/dev/zero") }
  }

  /// Of a dataset, of a group above it, and through another name of this file.
  @Test(.timeLimit(.minutes(15))) func linksToOtherFilesAreNamedAndNotFollowed() throws {
    let folder = try TemporaryFolder()
    let other = pipe(folder)
    let file = try File.create(folder.path())
    try file.createLink("train/x", toFile: other, "/x")
    try file.createLink("test", toFile: other, "/test")
    try file.createLink("soft", to: "/train/x")
    for name in ["train/x", "test/x", "soft"] {
      #expect(file.contains(name))
      #expect(!file.isGroup(name))
      expectError("it is a link to the file \"\(other)\"") { _ = try file.dataset(name) }
    }
    #expect(!file.isGroup("test") && file.address(of: "test") == nil)
    expectError("it is a link to the file") { _ = try file.group("test") }
    // An earlier refusal is not the reason for a later failure.
    #expect(!file.contains("none"))
    expectError("cannot open the dataset") { _ = try file.dataset("none") }
  }

  @Test func linksThatLeadToNothingAreNotThere() throws {
    let folder = try TemporaryFolder()
    let file = try File.create(folder.path())
    try file.createLink("x", to: "/none")
    try file.createLink("ring", to: "/ring")
    try file.write([1, 2] as [Float], to: "y")
    try file.createLink("z", to: "/y")
    #expect(!file.contains("x") && !file.contains("ring") && file.contains("z"))
    #expect(try file.dataset("z").shape == [2])
  }

  /// Asking for the shape of such a view would open the files that it shows.
  @Test(.timeLimit(.minutes(15))) func aViewWithoutEndIsRefusedBeforeItsShape() throws {
    let folder = try TemporaryFolder()
    let other = pipe(folder)
    do {
      let file = try File.create(folder.path())
      try file.createEndlessView("x", ofFile: other, "/x")
      try file.close()
    }
    let file = try File.open(folder.path())
    expectError("it is virtual, a view of other datasets") { _ = try file.dataset("x") }
  }
}
