// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A library of a few lines of C that is loaded before a program, to stand for a file system that
/// lacks something.
public enum Preload {
  /// Whether there is a C compiler to make one with.
  public static let isAvailable = compiler != nil
  public static let reason = "needs a C compiler on the path"

  private static let compiler: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return ["cc", "gcc", "clang"].lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// Compiles a library into a folder.
  ///
  /// - Returns: its path
  public static func library(_ source: String, in folder: String) throws -> String {
    let (path, library) = ("\(folder)/preload.c", "\(folder)/preload.so")
    try source.write(toFile: path, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: compiler ?? "/usr/bin/cc")
    process.arguments = ["-shared", "-fPIC", path, "-o", library, "-ldl"]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    return library
  }

  /// Replaces calls by failing ones where an environment variable asks for it: `NO_SYMLINK`,
  /// `NO_FOLDER_FSYNC` and `NO_LOCKS` are error numbers.
  public static let poorFileSystem = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    static int fails(const char *name) {
      const char *code = getenv(name);
      if (code) errno = atoi(code);
      return code != 0;
    }
    int symlink(const char *target, const char *path) {
      if (fails("NO_SYMLINK")) return -1;
      int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "symlink");
      return next(target, path);
    }
    int fsync(int file) {
      struct stat status;
      if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode) && fails("NO_FOLDER_FSYNC")) return -1;
      int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
      return next(file);
    }
    int flock(int file, int operation) {
      if (fails("NO_LOCKS")) return -1;
      int (*next)(int, int) = dlsym(RTLD_NEXT, "flock");
      return next(file, operation);
    }
    """
}
