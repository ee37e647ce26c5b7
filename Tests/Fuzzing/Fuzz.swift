// SPDX-License-Identifier: Apache-2.0

import Foundation

// fuzz READER [libFuzzer's options and folders]: searches for bytes that crash a reader.
//
// A trap, a signal, much memory, a long time, or an error that is not our one line counts as found,
// and the bytes are kept in a file. With --seed FILE it writes a valid file instead. libFuzzer has
// `main` and calls these two functions.

/// What is fuzzed, and the file that it reads. Set once, before the first input.
private nonisolated(unsafe) var target: (reader: Reader, folder: String)?

/// Removes the reader's name from the command line.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ values: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  let arguments = CommandLine.arguments
  guard arguments.count > 1, let reader = Reader(rawValue: arguments[1]) else {
    print("usage: fuzz READER [--seed FILE | options of libFuzzer]; readers:")
    for reader in Reader.allCases { print("  \(reader.rawValue)") }
    exit(64)
  }
  do {
    if arguments.count == 4, arguments[2] == "--seed" {
      try reader.writeSeed(to: arguments[3])
      exit(0)
    }
    let folder = "\(FileManager.default.temporaryDirectory.path)/fuzz-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // An archive is two files, of which one is damaged.
    if reader == .archive || reader == .stamps { try reader.writeSeed(to: "\(folder)/x_TEST.ts") }
    target = (reader, folder)
  } catch {
    print(error)
    exit(74)
  }
  count.pointee -= 1
  values.pointee[1] = values.pointee[0]
  values.pointee += 1
  return 0
}

/// Makes the reader read one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOne(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let (reader, folder) = target else { return 0 }
  let data = bytes.map { Data(bytes: $0, count: size) } ?? Data()
  do {
    try data.write(to: URL(fileURLWithPath: "\(folder)/\(reader.fileName)"))
    try reader.read(in: folder)
  } catch {
    guard reader.isRefusal(error) else { fatalError("\(reader.rawValue): \(error)") }
  }
  return 0
}
