// SPDX-License-Identifier: Apache-2.0

import Files

/// An HDF5 file that is written under a temporary name and renamed when it is complete. If anything
/// fails, an earlier file of that name is unchanged.
///
///     let replacement = try ReplacementFile("state.h5")
///     try replacement.file.write(steps, to: "steps")
///     try replacement.publish()
public final class ReplacementFile {
  /// The path that the file gets when it is published.
  public let path: String
  /// The open file.
  public let file: File
  private let temporary: String

  /// Creates the file in the folder of `path`.
  ///
  /// - Parameters:
  ///   - path: the path of the complete file
  ///   - temporary: its temporary name; nil chooses one that cannot be guessed
  public init(_ path: String, as temporary: String? = nil) throws(HDF5Error) {
    DurableFiles.removeLeftovers(of: path)
    self.path = path
    let name = temporary ?? DurableFiles.temporaryName(for: path)
    self.temporary = name
    do throws(HDF5Error) {
      file = try File.create(name, overwrite: false)
    } catch {
      DurableFiles.remove(name)
      throw error
    }
  }

  /// Closes the file, waits until it is on the disk, and gives it its name.
  ///
  /// - Throws: `HDF5Error` or `FileError`, after deleting the temporary file
  public func publish() throws {
    do {
      try file.flush()
      try file.close()
      try DurableFiles.synchronize(temporary)
      try DurableFiles.publish(temporary, as: path)
    } catch {
      cancel()
      throw error
    }
  }

  /// Deletes the temporary file if it was not published.
  public func cancel() {
    try? file.close()
    DurableFiles.remove(temporary)
  }
}
