// SPDX-License-Identifier: Apache-2.0

import Digests
import Files
import Foundation

extension CheckpointManifest {
  /// The limit on the bytes of a manifest, which is read before anything is verified.
  static let maximumBytes = 1 << 26

  /// The placeholder for the manifest's own checksum while that is computed.
  private static let blank = String(repeating: "0", count: 64)

  /// The manifest as JSON with sorted keys, and with its checksum.
  public func json() throws -> String {
    var copy = self
    copy.manifestSHA256 = Self.blank
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Self.seal(
      String(decoding: try encoder.encode(copy), as: UTF8.self) + "\n", inPlaceOf: Self.blank)
  }

  /// Replaces the checksum in a manifest's text by that of the text itself.
  static func seal(_ text: String, inPlaceOf old: String) -> String {
    func replacing(_ a: String, with b: String, in text: String) -> String {
      text.replacingOccurrences(of: "\"\(a)\"", with: "\"\(b)\"")
    }
    let blanked = replacing(old, with: blank, in: text)
    return replacing(blank, with: sha256(Data(blanked.utf8)), in: blanked)
  }

  private static func sha256(_ data: Data) -> String {
    let digest = SHA256Digest()
    digest.update(Array(data))
    return digest.finalize()
  }

  /// Reads the manifest of a checkpoint folder.
  public init(ofCheckpoint folder: String) throws(CheckpointError) {
    let path = "\(folder)/\(Self.fileName)"
    if let stamp = FileStamp(path), !stamp.isRegular || stamp.bytes > Self.maximumBytes {
      throw CheckpointError(
        path, "is not a file, or is larger than \(Self.maximumBytes) bytes", cure: Self.damaged)
    }
    guard let data = DurableFiles.ordinaryContents(of: path) else {
      throw CheckpointError(
        folder, "is not a checkpoint (it has no readable \(Self.fileName))",
        cure: "name a run, or a step folder under its checkpoints/")
    }
    do {
      self = try JSONDecoder().decode(CheckpointManifest.self, from: data)
    } catch {
      throw CheckpointError(
        path, "cannot be understood (\(Self.brief(error)))",
        cure: "the file is damaged: use an older checkpoint")
    }
    guard format == "momentum-dist checkpoint", 1...Self.currentFormatVersion ~= formatVersion
    else {
      throw CheckpointError(
        path, "is of the format \(format.debugDescription) version \(formatVersion)",
        cure: "this program reads versions 1 to \(Self.currentFormatVersion)")
    }
    guard isSealed(data) else {
      throw CheckpointError(
        path, "does not match its own checksum", cure: Self.damaged)
    }
    if let problem = problem { throw CheckpointError(path, problem, cure: Self.damaged) }
  }

  /// Whether these bytes, from which the manifest was read, have its checksum.
  private func isSealed(_ data: Data) -> Bool {
    guard let named = manifestSHA256 else { return formatVersion == 1 }
    let value = Data("\"\(named)\"".utf8)
    guard let place = data.range(of: value),
      data.range(of: value, in: place.upperBound..<data.endIndex) == nil
    else { return false }
    var blanked = data
    blanked.replaceSubrange(place, with: Data("\"\(Self.blank)\"".utf8))
    return Self.sha256(blanked) == named
  }

  private static func brief(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "the key \(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "the value of \(context.codingPath.map(\.stringValue).joined(separator: ".")) is unfit"
    default: "it is not valid JSON"
    }
  }
}
