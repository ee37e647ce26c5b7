// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import Testing

@Suite struct DurableFilesTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("files-\(UUID().uuidString)").path
    defer { DurableFiles.remove(folder) }
    try DurableFiles.createFolder(folder)
    try body(folder)
  }

  @Test func writesReplaceWhole() throws {
    try withFolder { folder in
      try DurableFiles.createFolder("\(folder)/a/b")
      let path = "\(folder)/a/b/text"
      try DurableFiles.write("one", to: path)
      try DurableFiles.write("two", to: path)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
      let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a/b")
      #expect(left == ["text"], "no temporary file stays")
    }
  }

  /// /dev/full takes nothing: every writer reports the system's own reason.
  @Test func aFullDiskIsCalledSo() throws {
    let file = try WritableFile("/dev/full", .atEnd)
    let error = #expect(throws: FileError.self) { try file.write(Array("text".utf8)) }
    #expect(error?.code == ENOSPC && error?.path == "/dev/full")
  }

  @Test func whatCannotBeWrittenLeavesTheOldFile() throws {
    try withFolder { folder in
      try DurableFiles.write("old", to: "\(folder)/text")
      let error = #expect(throws: FileError.self) {
        try DurableFiles.replace("\(folder)/text") { (file) throws(FileError) in
          try file.write(Array("new".utf8))
          throw FileError("write", "text", code: EDQUOT)
        }
      }
      #expect(error?.code == EDQUOT)
      #expect(try String(contentsOfFile: "\(folder)/text", encoding: .utf8) == "old")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["text"])
      let missing = #expect(throws: FileError.self) {
        try DurableFiles.write("text", to: "\(folder)/none/text")
      }
      #expect(missing?.code == ENOENT)
    }
  }

  @Test func linksAreReplaced() throws {
    try withFolder { folder in
      try DurableFiles.link("\(folder)/latest", to: "one")
      try DurableFiles.link("\(folder)/latest", to: "two")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/latest") == "two")
    }
  }

  @Test func failuresNameThePathAndTheReason() throws {
    try withFolder { folder in
      try DurableFiles.write("", to: "\(folder)/file")
      let error = #expect(throws: FileError.self) {
        try DurableFiles.createFolder("\(folder)/file/below")
      }
      #expect(error?.description.contains("\(folder)/file") == true)
      #expect(throws: FileError.self) { try DurableFiles.synchronize("\(folder)/none") }
    }
  }
}
