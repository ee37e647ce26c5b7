// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A power cut must not undo a save: each new name is on the disk, in its folder, before the
/// program relies on it. A preloaded library tells which folders are synchronised.
@Suite(
  .serialized,
  .enabled("needs a C compiler (cc or clang), which is not there", { Durability.compiler != nil })
) struct DurabilityTests {
  /// The folder of every new folder and every renamed file is synchronised afterwards.
  @Test func everyNewNameOfARunIsSynchronised() throws {
    try Durability.expectSynchronised(
      ["train", "--output", "runs/deep/run"] + RankCountTests.arguments + ["--max-steps", "12"],
      atLeast: ["runs", "runs/deep", "runs/deep/run", "runs/deep/run/checkpoints"])
  }

  @Test func everyNewNameOfADataSetIsSynchronised() throws {
    try Durability.expectSynchronised(
      ["prepare", "adding", "--to", "data/set.h5", "--train", "8", "--test", "4"],
      atLeast: ["data", "data/set.h5"])
  }

  /// The records of metrics.jsonl reach the disk before the checkpoint that they lead to counts.
  @Test func theMetricsAreSynchronisedWithACheckpoint() throws {
    let calls = try Durability.calls(
      of: ["train", "--output", "run"] + RankCountTests.arguments + ["--max-steps", "12"])
    let link = calls.lastIndex { $0.hasPrefix("name ") && $0.hasSuffix("/checkpoints/latest") }
    let last = try #require(link, "\(calls)")
    #expect(calls[..<last].contains { $0 == "sync run/metrics.jsonl" }, "\(calls)")
  }
}

private enum Durability {
  static let compiler: String? = ["cc", "clang", "gcc"].first { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }

  /// Writes a line for each call that succeeds: `name PATH` for a new name, `sync PATH`.
  private static let library = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>
    static void say(const char *word, const char *path) {
      char line[5000];
      int count = snprintf(line, sizeof line, "%s %s\\n", word, path);
      int file = open(getenv("CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);
      if (file >= 0) { if (write(file, line, count) < 0) {} close(file); }
    }
    int mkdir(const char *path, mode_t mode) {
      int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
      int result = real(path, mode);
      if (result == 0) say("name", path);
      return result;
    }
    int rename(const char *from, const char *to) {
      int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
      int result = real(from, to);
      if (result == 0) say("name", to);
      return result;
    }
    int fsync(int file) {
      int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
      char link[64], path[4096];
      snprintf(link, sizeof link, "/proc/self/fd/%d", file);
      ssize_t count = readlink(link, path, sizeof path - 1);
      int result = real(file);
      if (count >= 0 && result == 0) { path[count] = 0; say("sync", path); }
      return result;
    }
    """

  /// The calls of a run of the program, with paths from its folder on.
  static func calls(of arguments: [String]) throws -> [String] {
    try Places.withTemporaryFolder { folder in
      let place = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
      try library.write(toFile: "\(place)/calls.c", atomically: true, encoding: .utf8)
      let build = Process()
      build.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      build.arguments = [
        compiler!, "-shared", "-fPIC", "\(place)/calls.c", "-o", "\(place)/calls.so", "-ldl",
      ]
      try build.run()
      build.waitUntilExit()
      try #require(build.terminationStatus == 0)
      let outcome = try Program.run(
        arguments, in: place,
        environment: ["LD_PRELOAD": "\(place)/calls.so", "CALLS": "\(place)/calls.txt"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try String(contentsOfFile: "\(place)/calls.txt", encoding: .utf8)
        .replacingOccurrences(of: "\(place)/", with: "")
        .replacingOccurrences(of: " \(place)\n", with: " .\n")
        .split(separator: "\n").map(String.init)
    }
  }

  /// - Parameter names: the least that must have been named
  static func expectSynchronised(_ arguments: [String], atLeast names: [String]) throws {
    let calls = try calls(of: arguments)
    // Names under the system's folders are MPI's, and a removed file may reappear. Logs of ranks
    // and TensorBoard's events may be lost: no run depends on them.
    let own = calls.indices.filter { index in
      calls[index].hasPrefix("name ") && !calls[index].hasPrefix("name /")
        && !calls[index].contains(".removed") && !calls[index].contains(".replaced")
        && !calls[index].contains("/logs/") && !calls[index].contains("/events.out.")
    }
    for index in own {
      let path = String(calls[index].dropFirst(5))
      let parent = (path as NSString).deletingLastPathComponent
      let sync = "sync \(parent.isEmpty ? "." : parent)"
      // A temporary folder is renamed as a whole: its inside is synchronised under either name.
      let final = sync.replacingOccurrences(of: ".partial", with: "")
      #expect(
        calls[index...].contains { $0 == sync || $0 == final }, "\(path): \(calls[index...])")
    }
    let named = own.map { String(calls[$0].dropFirst(5)) }
    for name in names { #expect(named.contains(name), "\(name) is not among \(named)") }
  }
}
