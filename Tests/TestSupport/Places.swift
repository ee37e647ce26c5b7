// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Where tests find and put files.
public enum Places {
  /// The folder of the package.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// The fixtures of our own, made by Tests/References/make_fixtures.py.
  public static let fixtures = package + "/Tests/Fixtures"

  /// The folder `shared` next to the package, if there is one.
  public static let shared: String? = {
    let path = URL(fileURLWithPath: package).deletingLastPathComponent()
      .appendingPathComponent("shared").path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  /// The reason to skip a test that needs `shared` if it is absent.
  public static let sharedReason = "needs ../shared next to the package, which is not there"

  /// Runs `body` with a fresh folder, which is removed afterwards.
  public static func withTemporaryFolder<Result>(
    _ body: (String) throws -> Result
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("momentum-dist-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }
}
