// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5

extension SpikeArchive {
  /// Reads spike data of any of these kinds, recognised by their content:
  ///
  /// - keys of LFADS: `train_data`, `valid_data` [N, T, C], with `train_truth`, `valid_truth`
  /// - keys of lfads-torch: `train_encod_data` [N, T, C] and `train_recon_data` [N, T', C'], of which
  ///   the first C neurons and T bins are the former, and the other neurons are held out
  /// - NWB: `units/spike_times` with `spike_times_index`, cut by `intervals/trials`
  /// - one array [N, T, C], which the user names or which is the only one
  ///
  /// in HDF5 files, and all but NWB in files of MATLAB (5 and 7.3).
  public static func read(
    _ path: String, _ options: SpikeOptions
  ) throws(DatasetError) -> SpikeArchive {
    let arrays = try open(path)
    var archive: SpikeArchive
    if options.dataset == nil, let hdf5 = arrays as? HDF5Arrays,
      hdf5.shape(of: "units/spike_times") != nil
    {
      archive = try NWBSession(hdf5).archive(options)
    } else {
      archive = try SpikeArrays(arrays, options).archive()
      try archive.rebin(options)
    }
    try archive.split(options)
    try archive.holdOut(options)
    guard archive.parts[.train]?.spikes ?? 0 > 0 else {
      throw DatasetError(
        path, "has no spike in its training part", cure: "check the dataset and its axes")
    }
    return archive
  }

  private static func open(_ path: String) throws(DatasetError) -> any StoredArrays {
    guard !DurableFiles.isFolder(path) else {
      throw DatasetError(path, "is a folder", cure: "name an HDF5, NWB or MATLAB file")
    }
    let start = FileStart.bytes(of: path, count: 128)
    if MATFile.begins(start) { return try MATFile(path) }
    let arrays = try HDF5Arrays(path)
    if (try? arrays.file.intAttribute("format_version")) != nil,
      (try? arrays.file.stringAttribute("task")) != nil
    {
      throw DatasetError(
        path, "is a momentum-dist data set already",
        cure: "train on it, or prepare the file that it was made from")
    }
    return arrays
  }
}

/// Reads arrays of counts.
struct SpikeArrays {
  private let arrays: any StoredArrays
  private let options: SpikeOptions
  private var path: String { arrays.path }

  init(_ arrays: any StoredArrays, _ options: SpikeOptions) {
    (self.arrays, self.options) = (arrays, options)
  }

  func archive() throws(DatasetError) -> SpikeArchive {
    if options.dataset == nil {
      if arrays.shape(of: "train_encod_data") != nil { return try torchKeys() }
      if arrays.shape(of: "train_data") != nil { return try lfadsKeys() }
    }
    let name: String
    if let own = options.dataset { name = own } else { name = try onlyArray() }
    guard arrays.shape(of: name) != nil else {
      throw DatasetError(
        path, "has no array of numbers \(name)", cure: "name one with --dataset: \(list)")
    }
    var archive = SpikeArchive(
      path, kind: "\(name) of \(arrays.kind)", parts: [.train: try trials(name, rates: nil)])
    archive.binSeconds = options.sourceBinSeconds
    return archive
  }

  /// The arrays that may be spike counts, for a message.
  private var list: String {
    let names = arrays.arrays.filter { (2...3).contains($0.shape.count) }.prefix(6)
      .map { "\($0.name) \($0.shape)" }
    return names.isEmpty ? "there is none" : names.joined(separator: ", ")
  }

  private func onlyArray() throws(DatasetError) -> String {
    let found = arrays.arrays.filter { $0.shape.count == 3 }
    guard found.count == 1 else {
      throw DatasetError(
        path,
        "has no keys that are known (train_data, train_encod_data, units/spike_times) and"
          + " \(found.count) arrays of three dimensions",
        cure: "name one with --dataset: \(list)")
    }
    return found[0].name
  }

  private func lfadsKeys() throws(DatasetError) -> SpikeArchive {
    var parts: [DatasetFile.Part: SpikeTrials] = [:]
    for (part, key) in [(DatasetFile.Part.train, "train"), (.validation, "valid")]
    where arrays.shape(of: "\(key)_data") != nil {
      parts[part] = try trials("\(key)_data", rates: "\(key)_truth")
    }
    var archive = SpikeArchive(path, kind: "LFADS keys of \(arrays.kind)", parts: parts)
    try finish(&archive)
    return archive
  }

  private func torchKeys() throws(DatasetError) -> SpikeArchive {
    var parts: [DatasetFile.Part: SpikeTrials] = [:]
    var seen: Int?
    var notes: [String] = []
    for (part, key) in [(DatasetFile.Part.train, "train"), (.validation, "valid")]
    where arrays.shape(of: "\(key)_encod_data") != nil {
      let encoded = try trials("\(key)_encod_data", rates: nil)
      var all = encoded
      if arrays.shape(of: "\(key)_recon_data") != nil {
        all = try trials("\(key)_recon_data", rates: "\(key)_truth")
        guard all.trials == encoded.trials, all.steps >= encoded.steps,
          all.neurons >= encoded.neurons, encoded.counts == all.corner(of: encoded)
        else {
          throw DatasetError(
            path,
            "\(key)_recon_data does not begin with the bins and neurons of \(key)_encod_data",
            cure: "name the array of counts with --dataset")
        }
        if all.steps > encoded.steps {
          notes.append(
            "\(path): \(all.steps - encoded.steps) bins after those of \(key)_encod_data are left"
              + " out")
          all = all.shortened(to: encoded.steps)
        }
      }
      guard seen == nil || seen == encoded.neurons else {
        throw DatasetError(
          path, "train_encod_data has \(seen ?? 0) neurons, valid_encod_data \(encoded.neurons)",
          cure: "give all parts the same neurons")
      }
      seen = encoded.neurons
      parts[part] = all
    }
    var archive = SpikeArchive(path, kind: "lfads-torch keys of \(arrays.kind)", parts: parts)
    archive.heldOut = Array((seen ?? 0)..<archive.neurons)
    archive.notes = notes
    try finish(&archive)
    return archive
  }

  /// The properties of all parts: the neurons, the bins, and the unit of the rates.
  private func finish(_ archive: inout SpikeArchive) throws(DatasetError) {
    if let other = archive.parts[.validation], other.neurons != archive.parts[.train]?.neurons {
      throw DatasetError(
        path,
        "has \(archive.parts[.train]?.neurons ?? 0) training and \(other.neurons) validation"
          + " neurons", cure: "give all parts the same neurons")
    }
    archive.binSeconds = options.sourceBinSeconds
    try RateScale(path, options).apply(to: &archive)
  }

  /// Reads counts [N, T, C], and rates of the same shape if there are any.
  private func trials(
    _ name: String, rates ratesName: String?
  ) throws(DatasetError) -> SpikeTrials {
    let (shape, values) = try ordered(name)
    guard !shape.contains(0) else {
      throw DatasetError(path, "\(name) is \(shape)", cure: "it must hold counts")
    }
    var counts: [UInt16] = []
    counts.reserveCapacity(values.count)
    for (place, value) in values.enumerated() {
      guard let count = UInt16(exactly: value) else {
        throw DatasetError(
          path, "\(name)[\(self.place(place, shape))] is \(value)",
          cure: "counts are whole numbers of 0 to 65535; name the array of counts with --dataset")
      }
      counts.append(count)
    }
    var trials = SpikeTrials(
      trials: shape[0], steps: shape[1], neurons: shape[2], counts: counts)
    guard let ratesName, arrays.shape(of: ratesName) != nil else { return trials }
    let (ratesShape, rates) = try ordered(ratesName)
    guard ratesShape == shape else {
      throw DatasetError(
        path, "\(ratesName) is \(ratesShape), but \(name) is \(shape)",
        cure: "give both the same shape, or rename \(ratesName)")
    }
    if let wrong = rates.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw DatasetError(
        path, "\(ratesName)[\(place(wrong, shape))] is \(rates[wrong])",
        cure: "rates are numbers from 0 on")
    }
    trials.rates = rates
    return trials
  }

  /// The numbers of an array as [trials, steps, neurons].
  private func ordered(_ name: String) throws(DatasetError) -> (shape: [Int], values: [Float]) {
    var array = try arrays.read(name)
    var order = SpikeOptions.axes.map { options.axes.firstIndex(of: $0)! }
    if array.shape.count == 2, options.trialSeconds != nil {
      // One recording, with steps and neurons in the order of --axes.
      let steps = order[1] < order[2] ? 0 : 1
      let (shape, values) = array.rowMajor([steps, 1 - steps])
      array = StoredArray(shape: [1] + shape, isColumnMajor: false, values: values)
      order = [0, 1, 2]
    }
    guard array.shape.count == 3 else {
      throw DatasetError(
        path, "\(name) is \(array.shape)",
        cure: "it must be [\(options.axes.joined(separator: ", "))], or, with --trial-seconds,"
          + " [steps, neurons]")
    }
    return array.rowMajor(order)
  }

  private func place(_ index: Int, _ shape: [Int]) -> String {
    "trial \(index / shape[2] / shape[1]), step \(index / shape[2] % shape[1]),"
      + " neuron \(index % shape[2])"
  }
}

extension SpikeTrials {
  /// The counts of the first bins and neurons, as many as the other array has.
  fileprivate func corner(of other: SpikeTrials) -> [UInt16] {
    var corner: [UInt16] = []
    corner.reserveCapacity(other.counts.count)
    for trial in 0..<other.trials {
      for step in 0..<other.steps {
        let start = (trial * steps + step) * neurons
        corner += counts[start..<start + other.neurons]
      }
    }
    return corner
  }

  /// The first bins of each trial.
  fileprivate func shortened(to length: Int) -> SpikeTrials {
    func rows<Number>(_ all: [Number]) -> [Number] {
      (0..<trials).flatMap { trial in
        let start = trial * steps * neurons
        return all[start..<start + length * neurons]
      }
    }
    return SpikeTrials(
      trials: trials, steps: length, neurons: neurons, counts: rows(counts),
      rates: rates.map(rows))
  }
}
