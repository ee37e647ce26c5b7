// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Files

#if canImport(Glibc)
  import Glibc
#endif

/// Temporary files in folders where others may write too.
@Suite struct TemporaryNameTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("files-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func write(_ text: String, to path: String, age: TimeInterval = 0) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.modificationDate: Date() - age], ofItemAtPath: path)
  }

  @Test func namesCannotBeForeseen() {
    let names = Set((0..<100).map { _ in DurableFiles.temporaryName(for: "a/b") })
    #expect(names.count == 100)
    #expect(names.allSatisfy { DurableFiles.isTemporaryName(String($0.dropFirst(2)), of: "b") })
    #expect(DurableFiles.isTemporaryName("b.partial-4711", of: "b"))
    for other in ["b", "b.partial-", "b.partial-mine", "b.partial-12345678901", "c.partial-1"] {
      #expect(!DurableFiles.isTemporaryName(other, of: "b"), "\(other)")
    }
  }

  /// A planted link with the name of a new file is not followed.
  @Test func plantedLinksAreNotFollowed() throws {
    try withFolder { folder in
      try write("precious", to: "\(folder)/victim")
      symlink("\(folder)/victim", "\(folder)/new")
      #expect(throws: FileError.self) { try WritableFile("\(folder)/new", .new) }
      #expect(throws: FileError.self) {
        try write("a copy", to: "\(folder)/a")
        try DurableFiles.linkOrCopy("\(folder)/a", to: "\(folder)/new")
      }
      try FileManager.default.createDirectory(
        atPath: "\(folder)/theirs", withIntermediateDirectories: false)
      symlink("\(folder)/theirs", "\(folder)/step.partial")
      #expect(throws: FileError.self) { try DurableFiles.createNewFolder("\(folder)/step.partial") }
      #expect(try String(contentsOfFile: "\(folder)/victim", encoding: .utf8) == "precious")
    }
  }

  /// Files of writers that no longer exist are removed. Files of a living writer, new files and
  /// files of others are kept.
  @Test func leftoversGoWithTheirWriters() throws {
    try withFolder { folder in
      let stem = "\(folder)/data.json.partial-"
      try write("", to: "\(stem)0123456789abcdef", age: 4000)
      try write("", to: "\(stem)4711", age: 4000)
      let living = try WritableFile("\(stem)fedcba9876543210", .new)
      try write("", to: "\(stem)aaaaaaaaaaaaaaaa")
      try FileManager.default.setAttributes(
        [.modificationDate: Date() - 4000], ofItemAtPath: living.path)
      try write("", to: "\(stem)mine", age: 4000)
      try write("", to: "\(folder)/victim", age: 4000)
      symlink("\(folder)/victim", "\(stem)bbbbbbbbbbbbbbbb")
      mkfifo("\(stem)cccccccccccccccc", 0o600)
      try DurableFiles.write("{}", to: "\(folder)/data.json")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(
        left == [
          "data.json", "data.json.partial-aaaaaaaaaaaaaaaa", "data.json.partial-bbbbbbbbbbbbbbbb",
          "data.json.partial-cccccccccccccccc", "data.json.partial-fedcba9876543210",
          "data.json.partial-mine", "victim",
        ])
      try living.close()
    }
  }

  /// A pipe instead of a file would keep a reader waiting forever.
  @Test(.timeLimit(.minutes(15))) func onlyOrdinaryFilesAreRead() throws {
    try withFolder { folder in
      mkfifo("\(folder)/pipe", 0o600)
      try write("abc", to: "\(folder)/file")
      #expect(DurableFiles.ordinaryContents(of: "\(folder)/pipe") == nil)
      #expect(throws: FileError.self) {
        try DurableFiles.contents(of: "\(folder)/pipe", limit: 9)
      }
      #expect(throws: FileError.self) { try DurableFiles.contents(of: "/dev/zero", limit: 9) }
      #expect(DurableFiles.ordinaryContents(of: "/dev/zero") == nil)
      #expect(DurableFiles.ordinaryContents(of: folder) == nil)
      #expect(DurableFiles.ordinaryContents(of: "\(folder)/file", limit: 2) == nil)
      #expect(DurableFiles.ordinaryContents(of: "\(folder)/file") == Data("abc".utf8))
    }
  }

  /// A path that is not a file is not a failure of the disk, and has its own advice.
  @Test(.timeLimit(.minutes(15))) func whatIsNotAFileIsNoDiskFailure() throws {
    try withFolder { folder in
      let pipe = "\(folder)/pipe"
      mkfifo(pipe, 0o600)
      for path in [pipe, "/dev/zero", "/proc/..\(pipe)", "/dev/fd/../../..\(pipe)"] {
        let error = #expect(throws: FileError.self, "\(path)") {
          try DurableFiles.contents(of: path, limit: 9)
        }
        #expect(error?.isDiskFailure == false && error?.path == path, "\(path)")
        #expect(
          error?.line == "\(path): is not a regular file (a pipe, socket or device);"
            + " name a regular file, or pass a stream as /dev/stdin")
      }
      let missing = #expect(throws: FileError.self) {
        try DurableFiles.contents(of: "\(folder)/none", limit: 9)
      }
      #expect(missing?.isDiskFailure == true)
    }
  }

  @Test func streamsThatTheUserNames() {
    for path in ["/dev/stdin", "/dev/fd/0", "/dev//fd/63", "/proc/self/fd/3", "/proc/12/fd/3"] {
      #expect(DurableFiles.isStreamOfUser(path), "\(path)")
    }
    for path in [
      "/proc/../fifo", "/proc/self/root", "/proc/self/cwd/fifo", "/dev/stdin/../zero",
      "/dev/fd/../zero", "/dev/fd", "/dev/fd/a", "/dev/zero", "dev/stdin", "/fifo", "/", "",
    ] {
      #expect(!DurableFiles.isStreamOfUser(path), "\(path)")
    }
  }

  /// A log is written at its end, and only if it is a file of its own folder.
  @Test(.timeLimit(.minutes(15))) func logsAreOrdinaryFiles() throws {
    try withFolder { folder in
      let log = "\(folder)/log"
      for text in ["one", "two"] {
        try DurableFiles.openForAppending(log).write(contentsOf: Data(text.utf8))
      }
      #expect(try String(contentsOfFile: log, encoding: .utf8) == "onetwo")
      symlink(log, "\(folder)/link")
      symlink("\(folder)/none", "\(folder)/dangling")
      mkfifo("\(folder)/pipe", 0o600)
      symlink(folder, "\(folder)/logs")
      let obstacles: [(String, FileError.Obstacle)] = [
        ("link", .link), ("dangling", .link), ("pipe", .notRegular), ("logs/log", .link),
      ]
      for (name, obstacle) in obstacles {
        let error = #expect(throws: FileError.self, "\(name)") {
          try DurableFiles.openForAppending("\(folder)/\(name)")
        }
        #expect(error?.obstacle == obstacle && error?.isDiskFailure == false, "\(name)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
      #expect(try String(contentsOfFile: log, encoding: .utf8) == "onetwo")
    }
  }

  @Test func namesOfPaths() {
    for (path, name) in [
      ("a/b", "b"), ("a/b/", "b"), ("a", "a"), (".", "."), ("/", "/"), ("", ""), ("..", ".."),
    ] { #expect(DurableFiles.lastName(of: path) == name, "\(path)") }
    for (name, stem) in [
      ("a.yaml", "a"), ("a", "a"), ("...yaml", ".."), (".yaml", ".yaml"), ("a.b.c", "a.b"),
      (".", "."),
    ] { #expect(DurableFiles.stem(of: name) == stem, "\(name)") }
  }
}
