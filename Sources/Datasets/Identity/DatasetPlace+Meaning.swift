// SPDX-License-Identifier: Apache-2.0

import Digests
import HDF5

extension DatasetPlace {
  /// The meaning of the numbers according to the files, and the number of classes that they
  /// declare. Only files that `prepare` made say so.
  ///
  /// Properties in which several files must agree are compared when they are opened for reading.
  public func meaning() throws(DatasetError) -> (meaning: DataMeaning, classes: Int?) {
    var meaning = DataMeaning()
    guard let path = try paths().first else { return (meaning, nil) }
    do {
      let file = try HDF5.File.open(path)
      let declared = classes > 0 ? classes : nil
      guard try DatasetFile.isOurs(file, byNames: !isForeign) else { return (meaning, declared) }
      meaning.classNames = try DatasetFile.classNames(of: file)
      meaning.scaling = try file.doubleAttribute("scaling") ?? 1
      if !meaning.scaling.isFinite { meaning.scaling = 1 }  // refused when the file is read
      if let mean = try Self.statistics("feature_mean", of: file) {
        meaning.statistics = DataMeaning.Statistics(
          mean: mean, deviation: try Self.statistics("feature_std", of: file) ?? [])
      }
      if let mean = try Self.statistics("target_mean", of: file) {
        meaning.targets = DataMeaning.Statistics(
          mean: mean, deviation: try Self.statistics("target_std", of: file) ?? [])
      }
      if let rate = try file.doubleAttribute("sample_rate"),
        let window = try file.intAttribute("window"), let hop = try file.intAttribute("hop"),
        let bins = try file.intAttribute("bins"), rate.isFinite
      {
        meaning.sound = DataMeaning.SoundFeatures(
          sampleRate: rate, window: window, hop: hop, bins: bins)
      }
      return (meaning, try declared ?? file.intAttribute("classes"))
    } catch {
      throw DatasetError(path, error, cure: "check the path, or " + DatasetFile.prepareIt)
    }
  }

  private static func statistics(_ name: String, of file: HDF5.File) throws -> [Double]? {
    guard file.contains(name) else { return try file.doublesAttribute(name) }
    let dataset = try file.dataset(name)
    try dataset.requireStored()
    return try dataset.read(as: Double.self, maximumElements: 1 << 24)
  }

  /// The statistics by which the targets of a regression were normalised; nil if they were not.
  /// Only files that `prepare` made say so.
  public func targetStatistics() throws(DatasetError) -> (mean: [Double], deviation: [Double])? {
    guard let path = try paths().first else { return nil }
    do {
      let file = try HDF5.File.open(path)
      guard try DatasetFile.isOurs(file, byNames: !isForeign),
        let mean = try Self.statistics("target_mean", of: file),
        let deviation = try Self.statistics("target_std", of: file), mean.count == deviation.count
      else { return nil }
      return (mean, deviation)
    } catch {
      throw DatasetError(path, error, cure: "check the path, or " + DatasetFile.prepareIt)
    }
  }
}

extension DataMeaning.Statistics {
  /// Of more statistics than this, only the hash is kept.
  private static let most = 1024

  public init(mean: [Double], deviation: [Double]) {
    let digest = SHA256Digest()
    digest.update(mean.span)
    digest.update(deviation.span)
    // JSON has no infinity.
    func forMessages(_ values: [Double]) -> [Double]? {
      values.count <= Self.most && values.allSatisfy(\.isFinite) ? values : nil
    }
    self.init(
      sha256: digest.finalize(), mean: forMessages(mean), deviation: forMessages(deviation))
  }
}
