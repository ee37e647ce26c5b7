// SPDX-License-Identifier: Apache-2.0

/// Finds the unit of true rates, and converts them to expected counts per bin.
///
/// Files do not name the unit: LFADS's own files have Hz, others have counts per bin. The sum of
/// many counts is close to the sum of their expected values. So the ratio of the sum of the counts
/// to the sum of the rates gives the unit and, for Hz, the length of a bin.
struct RateScale {
  private let path: String
  private let options: SpikeOptions

  /// Common lengths of bins, in ms.
  private static let usual = [1.0, 2, 4, 5, 8, 10, 12, 15, 16, 20, 25, 30, 40, 50, 100, 200, 250]
  /// How far the sum of the counts may be from its expected value.
  private static let tolerance = 0.05

  init(_ path: String, _ options: SpikeOptions) {
    (self.path, self.options) = (path, options)
  }

  /// Scales the rates of all parts by the same factor.
  func apply(to archive: inout SpikeArchive) throws(DatasetError) {
    guard let train = archive.parts[.train], let rates = train.rates else { return }
    let expected = rates.reduce(0.0) { $0 + Double($1) }
    let ratio = expected > 0 ? Double(train.spikes) / expected : 0
    let scale = try scale(ratio, &archive)
    let bins = archive.binSeconds.map { " of \(milliseconds($0)) ms" } ?? ""
    archive.notes.append(
      "\(path): rates are in \(scale == 1 ? "counts per bin" : "Hz, with bins\(bins)"): they expect"
        + " \(percent(expected * scale, of: train.spikes)) of the spikes of the training part")
    for (part, trials) in archive.parts {
      guard let rates = trials.rates else { continue }
      // A rate of zero would make one spike impossible, and its likelihood infinite.
      archive.parts[part]!.rates = rates.map { max(Float(Double($0) * scale), 1e-9) }
    }
  }

  private func scale(
    _ ratio: Double, _ archive: inout SpikeArchive
  ) throws(DatasetError) -> Double {
    func isNear(_ expected: Double) -> Bool {
      abs(ratio - expected) <= Self.tolerance * expected
    }
    switch options.rateUnit {
    case .bin: return 1
    case .hz:
      archive.binSeconds = archive.binSeconds ?? usualBin(ratio)
      guard let bin = archive.binSeconds else { throw unclear(ratio) }
      return bin
    case .auto:
      if isNear(1) { return 1 }
      if let bin = archive.binSeconds {
        guard isNear(bin) else { throw unclear(ratio) }
        return bin
      }
      guard let bin = usualBin(ratio) else { throw unclear(ratio) }
      archive.binSeconds = bin
      return bin
    }
  }

  private func usualBin(_ ratio: Double) -> Double? {
    let nearest = Self.usual.min { abs($0 / 1000 - ratio) < abs($1 / 1000 - ratio) }!
    return abs(nearest / 1000 - ratio) <= Self.tolerance * nearest / 1000 ? nearest / 1000 : nil
  }

  private func unclear(_ ratio: Double) -> DatasetError {
    DatasetError(
      path,
      "has \(Float(ratio)) spikes for each unit of its true rates, so that their unit is unclear",
      cure: "say what they are with --rates hz or bin, and how long a bin is with --source-bin-ms")
  }

  private func percent(_ part: Double, of whole: Int) -> String {
    "\((part / Double(max(whole, 1)) * 1000).rounded() / 10) %"
  }

  private func milliseconds(_ seconds: Double) -> String {
    let text = "\((seconds * 1e6).rounded() / 1000)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
