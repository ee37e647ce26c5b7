// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

extension SHA256Digest {
  /// Returns the digest of a file, which is read in pieces of 1 MiB.
  ///
  /// - Throws: `DigestError`, which names the path, if the file cannot be read.
  public static func ofFile(_ path: String) throws(DigestError) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw DigestError(path: path, reason: lastSystemError()) }
    defer { close(file) }

    let digest = SHA256Digest()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = read(file, buffer.baseAddress, buffer.count)
      if count == 0 { return digest.finalize() }
      if count > 0 {
        digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      } else if errno != EINTR {
        throw DigestError(path: path, reason: lastSystemError())
      }
    }
  }
}

/// The text of `errno`.
private func lastSystemError() -> String {
  String(cString: strerror(errno))
}
