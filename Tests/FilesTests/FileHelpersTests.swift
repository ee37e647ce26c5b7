// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Files

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct FileHelpersTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("files-\(UUID().uuidString)").path
    defer { DurableFiles.remove(folder) }
    try DurableFiles.createFolder(folder)
    try body(folder)
  }

  @Test func oneIsSingular() {
    #expect(
      [0, 1, 2].map { counted($0, "sequence") } == ["0 sequences", "1 sequence", "2 sequences"])
  }

  @Test func aMistypedNameIsNearOneOfItsFolder() throws {
    try withFolder { folder in
      for name in ["data.csv", "date.txt"] {
        try DurableFiles.write("", to: "\(folder)/\(name)")
      }
      #expect(DurableFiles.nearest(to: "\(folder)/data.cvs") == "\(folder)/data.csv")
      #expect(
        DurableFiles.nearest(to: "\(folder)/data.cvs") { $0.hasSuffix(".txt") } == nil)
      #expect(DurableFiles.nearest(to: "\(folder)/other") == nil)
      #expect(DurableFiles.nearest(to: "\(folder)/none/data.csv") == nil)
    }
  }

  /// Other tests of this process allocate and free memory meanwhile, and the system counts in
  /// batches. This block is far larger than both.
  @Test func memoryThatIsHeldIsCounted() throws {
    let held = UnsafeMutableRawPointer.allocate(byteCount: 256 << 20, alignment: 4096)
    defer { held.deallocate() }
    for page in stride(from: 0, to: 256 << 20, by: 4096) {
      held.storeBytes(of: 1, toByteOffset: page, as: UInt8.self)
    }
    let own = try #require(ProcessMemory.privateBytes)
    let all = try #require(ProcessMemory.residentBytes)
    for bytes in [own, all, ProcessMemory.peakBytes] { #expect(bytes > 256 << 20) }
  }

  @Test func sharedPagesAreNotPrivate() throws {
    let pages = try #require(ProcessMemory.pages(statm: "9000 700 200 1 0 300 0\n"))
    #expect(pages == (resident: 700, shared: 200))
    #expect(ProcessMemory.pages(statm: "9000") == nil)
  }

  @Test func patternsReachIntoFoldersWithAnyName() throws {
    try withFolder { folder in
      for name in ["d[1]", "d1", "a*b", "a-b"] {
        try DurableFiles.createFolder("\(folder)/\(name)")
        try DurableFiles.write("", to: "\(folder)/\(name)/p.h5")
      }
      func names(_ pattern: String) -> [String] {
        DurableFiles.names(fitting: "\(folder)/\(pattern)").map {
          String($0.dropFirst(folder.count + 1))
        }
      }
      #expect(names("d[1]/*.h5") == ["d[1]/p.h5"])
      #expect(names("a*b/*.h5") == ["a*b/p.h5"])
      #expect(names("d[12]/*.h5") == ["d1/p.h5"], "no such folder: a pattern")
      #expect(names("d?/p.h5") == ["d1/p.h5"])
      #expect(names("*/p.h5").count == 4)
    }
  }

  @Test func aHeldFileIsReadAfterItsRemoval() throws {
    try withFolder { folder in
      let path = "\(folder)/file"
      try DurableFiles.write("text", to: path)
      let held = try #require(HeldFile(path))
      DurableFiles.remove(path)
      #expect(FileStamp(path) == nil && held.stamp?.bytes == 4)
      #expect(try DurableFiles.contents(of: held.path, limit: 4) == Array("text".utf8))
      #expect(HeldFile(folder) == nil && HeldFile(path) == nil)
      #expect(mkfifo(path, 0o600) == 0 && HeldFile(path) == nil, "it does not wait for a writer")
    }
  }

  @Test func aWholeFileHasALimit() throws {
    try withFolder { folder in
      try DurableFiles.write("12345", to: "\(folder)/file")
      #expect(try DurableFiles.contents(of: "\(folder)/file", limit: 5)?.count == 5)
      #expect(try DurableFiles.contents(of: "\(folder)/file", limit: 4) == nil)
      // An endless stream under the path of a descriptor, as in a shell.
      let zero = "\(folder)/zero"
      #expect(symlink("/dev/zero", zero) == 0)
      let stream = open(zero, O_RDONLY)
      defer { close(stream) }
      try #require(stream >= 0)
      #expect(try DurableFiles.contents(of: "/dev/fd/\(stream)", limit: 9) == nil)
      let device = #expect(throws: FileError.self) {
        try DurableFiles.contents(of: zero, limit: 9)
      }
      #expect(device?.obstacle == .notRegular, "a file of a folder is not such a stream")
      let error = #expect(throws: FileError.self) {
        try DurableFiles.contents(of: "\(folder)/none", limit: 5)
      }
      #expect(error?.code == ENOENT)
    }
  }

  /// /dev/shm is another file system than the temporary folder, or the same: both must work.
  @Test(arguments: ["", "/dev/shm"]) func linksOrCopies(top: String) throws {
    try withFolder { folder in
      try DurableFiles.write("text", to: "\(folder)/file")
      let target = top.isEmpty ? "\(folder)/second" : "\(top)/momentum-dist-\(UUID().uuidString)"
      defer { DurableFiles.remove(target) }
      try DurableFiles.linkOrCopy("\(folder)/file", to: target)
      DurableFiles.remove("\(folder)/file")
      #expect(try String(contentsOfFile: target, encoding: .utf8) == "text")
    }
  }
}
