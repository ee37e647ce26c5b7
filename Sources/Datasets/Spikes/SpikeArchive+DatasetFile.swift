// SPDX-License-Identifier: Apache-2.0

import HDF5

extension SpikeArchive {
  /// The task that reads the file.
  public static let task = "masked_spikes"

  /// Writes the data set file.
  ///
  ///     /            attributes task = "masked_spikes", format_version, bin_seconds, held_out (how
  ///                  many: the last ones), neuron_order [C] (the numbers of the neurons in the
  ///                  user's file, if they are in another order there), source
  ///     /train       spikes [N, T, C] uint8, or uint16 if a bin has more than 255; and, if they are
  ///                  known, rates [N, T, C] float32: expected counts per bin
  ///     /validation, /test            likewise, if there are any
  ///
  /// - Parameters:
  ///   - path: the path of the file
  ///   - compressing: makes a smaller file that takes longer to read
  public func write(to path: String, compressing: Bool = false) throws(DatasetError) {
    let deflate = DatasetFile.deflate(compressing)
    try DatasetFile.create(at: path) { file in
      try file.setAttribute("task", Self.task)
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("bin_seconds", binSeconds ?? 1)
      try file.setAttribute("held_out", heldOut.count)
      if neuronOrder != Array(neuronOrder.indices) {
        try file.setAttribute("neuron_order", neuronOrder)
      }
      try file.setAttribute("source", kind)
      let isWide = parts.values.contains { $0.counts.contains { $0 > UInt8.max } }
      for part in DatasetFile.Part.allCases {
        guard let trials = parts[part] else { continue }
        let shape = [trials.trials, trials.steps, trials.neurons]
        let name = "\(part.rawValue)/spikes"
        if isWide {
          try file.write(
            trials.counts, to: name, shape: shape,
            chunk: DatasetFile.chunk(shape, elementBytes: 2), deflate: deflate, fletcher32: true)
        } else {
          try file.write(
            trials.counts.map { UInt8($0) }, to: name, shape: shape,
            chunk: DatasetFile.chunk(shape, elementBytes: 1), deflate: deflate, fletcher32: true)
        }
        guard let rates = trials.rates else { continue }
        try file.write(
          rates, to: "\(part.rawValue)/rates", shape: shape,
          chunk: DatasetFile.chunk(shape, elementBytes: 4), deflate: deflate, fletcher32: true)
      }
    }
  }
}
