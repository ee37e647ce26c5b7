// SPDX-License-Identifier: Apache-2.0

internal import CCrypto

/// A SHA-256 digest that is computed piece by piece.
///
///     let digest = SHA256Digest()
///     digest.update("abc")
///     print(digest.finalize())  // ba7816bf...
///
/// The reference is NIST FIPS 180-4, Secure Hash Standard, doi:10.6028/NIST.FIPS.180-4.
public final class SHA256Digest {
  private let context: OpaquePointer
  private var isFinal = false

  /// Starts a digest of nothing.
  ///
  /// The corresponding C function is `EVP_DigestInit_ex`.
  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      fatalError("libcrypto does not offer SHA-256")
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Adds bytes.
  ///
  /// The corresponding C function is `EVP_DigestUpdate`.
  public func update(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// Adds bytes.
  ///
  /// The corresponding C function is `EVP_DigestUpdate`.
  public func update(_ bytes: [UInt8]) {
    update(bytes.span)
  }

  /// Adds the UTF-8 bytes of `text`.
  ///
  /// The corresponding C function is `EVP_DigestUpdate`.
  public func update(_ text: String) {
    update(Array(text.utf8))
  }

  /// Adds the bytes of `values`, which are little-endian on every supported machine.
  ///
  /// The corresponding C function is `EVP_DigestUpdate`.
  public func update<Scalar: BitwiseCopyable>(_ values: Span<Scalar>) {
    values.withUnsafeBytes { update($0) }
  }

  /// Returns the digest of all added bytes, as 64 lower-case hexadecimal digits.
  ///
  /// Call it once. Nothing can be added after it.
  ///
  /// The corresponding C function is `EVP_DigestFinal_ex`.
  public func finalize() -> String {
    precondition(!isFinal, "a digest is finalized once")
    isFinal = true
    var bytes = [UInt8](repeating: 0, count: 32)
    let status = EVP_DigestFinal_ex(context, &bytes, nil)
    precondition(status == 1, "libcrypto could not finalize a SHA-256 digest")
    return hexadecimal(bytes)
  }

  /// Adds the bytes of a buffer.
  func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(!isFinal, "a digest was updated after it was finalized")
    guard !bytes.isEmpty else { return }
    let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(status == 1, "libcrypto could not update a SHA-256 digest")
  }
}

/// Returns two lower-case hexadecimal digits for each byte.
private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
