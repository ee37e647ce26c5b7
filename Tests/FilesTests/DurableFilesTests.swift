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
