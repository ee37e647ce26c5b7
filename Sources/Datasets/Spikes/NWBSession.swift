// SPDX-License-Identifier: Apache-2.0

import Files
import Foundation
import HDF5

/// The first bytes of a file.
enum FileStart {
  /// Fewer if the file is shorter, none if it cannot be read. It does not wait for a pipe.
  static func bytes(of path: String, count: Int) -> [UInt8] {
    guard let descriptor = try? DurableFiles.openForReading(path) else { return [] }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    defer { try? handle.close() }
    return Array((try? handle.read(upToCount: count)) ?? Data())
  }
}

/// A recording in the format Neurodata Without Borders (Rübel et al. 2022,
/// doi:10.7554/eLife.78362): an HDF5 file with the times of each unit's spikes.
///
///     units/spike_times [S]            seconds, of all units one after the other
///     units/spike_times_index [C]      where the times of each unit end
///     units/heldout [C]                optional: whether a unit is held out
///     intervals/trials/start_time, stop_time [N]
struct NWBSession {
  private let path: String
  /// The times of the spikes of each unit, sorted.
  private let units: [[Double]]
  private let heldOut: [Int]
  private let trials: [(start: Double, stop: Double)]

  /// A recording with more bins than this is refused.
  private static let mostNumbers = 1 << 28

  init(_ arrays: HDF5Arrays) throws(DatasetError) {
    path = arrays.path
    let times = try arrays.doubles("units/spike_times") ?? []
    guard let ends = try arrays.doubles("units/spike_times_index") else {
      throw DatasetError(
        path, "has units/spike_times, but no units/spike_times_index",
        cure: "write the file with an NWB library")
    }
    if let wrong = times.firstIndex(where: { !$0.isFinite }) {
      throw DatasetError(
        path, "units/spike_times[\(wrong)] is \(times[wrong])", cure: "remove such spikes")
    }
    var units: [[Double]] = []
    var start = 0
    for (unit, end) in ends.enumerated() {
      guard let end = Int(exactly: end), end >= start, end <= times.count else {
        throw DatasetError(
          path,
          "units/spike_times_index[\(unit)] is \(end), after \(start) of \(times.count) spikes",
          cure: "it must grow and end within spike_times: write the file again")
      }
      units.append(times[start..<end].sorted())
      start = end
    }
    guard !units.isEmpty, !times.isEmpty else {
      throw DatasetError(path, "holds no spikes", cure: "name another file")
    }
    self.units = units
    let marks = try arrays.doubles("units/heldout") ?? []
    heldOut = marks.count == units.count ? marks.indices.filter { marks[$0] != 0 } : []
    let starts = try arrays.doubles("intervals/trials/start_time") ?? []
    let stops = try arrays.doubles("intervals/trials/stop_time") ?? []
    guard starts.count == stops.count else {
      throw DatasetError(
        path, "has \(starts.count) start_time and \(stops.count) stop_time in intervals/trials",
        cure: "write the file again")
    }
    for (trial, (start, stop)) in zip(starts, stops).enumerated()
    where !(start.isFinite && stop.isFinite && start < stop) {
      throw DatasetError(
        path, "intervals/trials: trial \(trial) is from \(start) to \(stop) s",
        cure: "remove the trial, or cut the recording with --trial-seconds")
    }
    trials = zip(starts, stops).map { ($0, $1) }
  }

  /// The counts of trials of one length. These are the trials of the file, cut to the shortest, or
  /// pieces of `trialSeconds` of the whole recording.
  func archive(_ options: SpikeOptions) throws(DatasetError) -> SpikeArchive {
    guard let bin = options.binSeconds else {
      throw DatasetError(
        path, "holds times of spikes, which are counted in bins",
        cure: "set the bin length with --bin-ms")
    }
    let (starts, seconds) = try starts(options)
    // A trial of 0.3 s must have 30 bins of 10 ms, although 0.3 / 0.01 is not exact in binary.
    let steps = (seconds / bin * (1 + 1e-9)).rounded(.down)
    let numbers = steps * Double(starts.count) * Double(units.count)
    guard steps >= 1, numbers <= Double(Self.mostNumbers) else {
      throw DatasetError(
        path,
        "gives \(starts.count) trials of \(steps) bins of \(bin * 1000) ms and \(units.count) units",
        cure: "choose other bins with --bin-ms, or trials with --trial-seconds")
    }
    var archive = SpikeArchive(
      path, kind: "NWB units", parts: [.train: try binned(starts, Int(steps), bin)])
    archive.binSeconds = bin
    archive.heldOut = heldOut
    if options.trialSeconds == nil {
      let longest = trials.map { $0.stop - $0.start }.max() ?? 0
      if longest - seconds > bin {
        archive.notes.append(
          "\(path): trials last \(Float(seconds)) to \(Float(longest)) s; each is cut to the"
            + " shortest")
      }
    }
    return archive
  }

  /// The starts of the trials, and their length.
  private func starts(
    _ options: SpikeOptions
  ) throws(DatasetError) -> (starts: [Double], seconds: Double) {
    guard let seconds = options.trialSeconds else {
      guard let shortest = trials.map({ $0.stop - $0.start }).min() else {
        throw DatasetError(
          path, "has no trials in intervals/trials",
          cure: "cut the recording into trials with --trial-seconds")
      }
      return (trials.map(\.start), shortest)
    }
    let first = units.compactMap(\.first).min() ?? 0
    let last = units.compactMap(\.last).max() ?? 0
    let count = ((last - first) / seconds).rounded(.down)
    guard count >= 1, count <= Double(Self.mostNumbers) else {
      throw DatasetError(
        path, "has spikes over \(Float(last - first)) s, which make no trials of \(seconds) s",
        cure: "choose another --trial-seconds")
    }
    return ((0..<Int(count)).map { first + Double($0) * seconds }, seconds)
  }

  private func binned(
    _ starts: [Double], _ steps: Int, _ bin: Double
  ) throws(DatasetError) -> SpikeTrials {
    let neurons = units.count
    var counts = [UInt16](repeating: 0, count: starts.count * steps * neurons)
    for (neuron, times) in units.enumerated() {
      for (trial, start) in starts.enumerated() {
        var place = firstIndex(in: times, from: start)
        while place < times.count {
          let step = Int(min((times[place] - start) / bin, Double(steps)))
          guard step < steps else { break }
          let index = (trial * steps + step) * neurons + neuron
          guard counts[index] < UInt16.max else {
            throw DatasetError(
              path, "unit \(neuron) has more than 65535 spikes in a bin",
              cure: "choose shorter bins with --bin-ms")
          }
          counts[index] += 1
          place += 1
        }
      }
    }
    return SpikeTrials(trials: starts.count, steps: steps, neurons: neurons, counts: counts)
  }

  /// The position of the first of sorted times that is not before `start`.
  private func firstIndex(in times: [Double], from start: Double) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < start { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
