// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Datasets
import Files
import Foundation
import Training

extension SpikeOptions.RateUnit: ExpressibleByArgument {}

/// The neurons to hold out: a count, or a list of numbers and ranges.
struct HeldOutNeurons: ExpressibleByArgument {
  let value: SpikeOptions.HeldOut

  init?(argument: String) {
    if let count = Int(argument) {
      guard count >= 0 else { return nil }
      value = .count(count)
      return
    }
    var list: [Int] = []
    for item in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = item.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        0...1_000_000 ~= first, first...1_000_000 ~= last
      else { return nil }
      list += first...last
    }
    value = .list(list)
  }
}

/// The parts and the neurons of every spike data set.
struct SpikeSplitOptions: ParsableArguments {
  @OptionGroup var output: OutputOption

  @Option(
    help: ArgumentHelp(
      "Neurons that a model does not see and has to predict: how many, drawn at random, or which,"
        + " as 3,7,40-59, counted from 0.", valueName: "count|list"))
  var heldOut: HeldOutNeurons?

  @Option(
    help: ArgumentHelp(
      "The share of the trials that become the validation part; 0 for none.", valueName: "share"))
  var validationShare = 0.2

  @Option(
    help: ArgumentHelp("The share that become the test part; 0 for none.", valueName: "share"))
  var testShare = 0.0

  func validate() throws {
    try requireShare("validation-share", validationShare, allowsNone: true)
    try requireShare("test-share", testShare, allowsNone: true)
    guard validationShare + testShare < 1 else {
      throw ValidationError("--validation-share and --test-share leave nothing to train on.")
    }
  }

  func options(seed: UInt64) -> SpikeOptions {
    var options = SpikeOptions()
    options.heldOut = heldOut?.value ?? .ofFile
    (options.validationShare, options.testShare) = (validationShare, testShare)
    options.seed = seed
    return options
  }

  /// Writes the archive's file, and prints what it is and what to type next.
  func write(_ archive: SpikeArchive) throws {
    try archive.write(to: output.to, compressing: output.compress)
    for note in archive.notes { print(note.visible) }
    print("\(archive.path): \(archive.kind)".visible)
    let bin = archive.binSeconds ?? 1
    for part in DatasetFile.Part.allCases {
      guard let trials = archive.parts[part] else { continue }
      let bins = Double(trials.trials * trials.steps * trials.neurons)
      let rate = Double(trials.spikes) / bins / bin
      print(
        "\(output.to): \(part.rawValue): \(trials.trials) trials of \(trials.steps) bins of"
          + " \(decimal(bin * 1000)) ms, \(trials.neurons) neurons,"
          + " \(trials.spikes) spikes, \(decimal(rate)) per second and neuron"
          + (trials.bitsPerSpikeOfRates.map { ", true rates: \(decimal($0)) bits per spike" }
            ?? ""))
    }
    print("held-out neurons: \(list(archive.heldOut)); silent in training: \(list(archive.silent))")
    print(
      "next: momentum-dist train --set dataset.task=\(SpikeArchive.task)"
        + " --set dataset.file=\(output.to)")
  }

  private func decimal(_ number: Double) -> String {
    let text = "\((number * 1000).rounded() / 1000)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// The count of some neurons, and the first of them.
  private func list(_ neurons: [Int]) -> String {
    guard !neurons.isEmpty else { return "none" }
    return "\(neurons.count) (\(neurons.prefix(8).map(String.init).joined(separator: ", "))"
      + (neurons.count > 8 ? ", ...)" : ")")
  }
}

struct PrepareSpikes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spikes",
    abstract: "From spike counts or times of neurons: HDF5, NWB, MATLAB.",
    discussion: """
      What --from names is recognised by its content:
      - LFADS: train_data and valid_data [trials, steps, neurons], and train_truth and valid_truth \
      with true rates, in Hz or counts per bin: the sum of the spikes tells which.
      - lfads-torch: train_encod_data, train_recon_data, valid_encod_data, valid_recon_data. \
      Neurons that are in recon alone are held out; steps that are in recon alone are left out.
      - NWB: units/spike_times, counted in bins of --bin-ms, in the trials of intervals/trials, \
      each cut to the shortest, or in trials of --trial-seconds from the first spike on. Units \
      marked in units/heldout are held out.
      - One array of counts [trials, steps, neurons], named by --dataset, or the only array of \
      three dimensions. --axes gives a different order. With --trial-seconds it may be one \
      recording [steps, neurons].

      Arrays are read from HDF5 and from MATLAB files, -v7.3, -v7 and -v6, also as a field of a \
      structure (session.counts). Files without a validation part are split at random. The file \
      holds counts, and rates per bin if they are known. Held-out neurons come last, and \
      neuron_order has their original numbers.

      momentum-dist prepare spikes --from lfads_lorenz.h5 --to data/lorenz.h5
      momentum-dist prepare spikes --from session.nwb --bin-ms 20 --held-out 30 --to data/m1.h5
      momentum-dist prepare spikes --from rat.mat --dataset session.counts \
      --axes neurons,steps,trials --source-bin-ms 5 --bin-ms 20 --to data/rat.h5
      """)

  @Option(help: ArgumentHelp("An HDF5, NWB or MATLAB file.", valueName: "file"))
  var from: String

  @OptionGroup var split: SpikeSplitOptions

  @Option(help: ArgumentHelp("The array of counts in the file.", valueName: "name"))
  var dataset: String?

  @Option(
    help: ArgumentHelp(
      "The axes of arrays, in their order (default: trials,steps,neurons).", valueName: "names"))
  var axes: String?

  @Option(
    help: ArgumentHelp(
      "How long a bin of the result is: a multiple of the file's bins, which are summed.",
      valueName: "ms"))
  var binMs: Double?

  @Option(
    help: ArgumentHelp(
      "The bin length of the file, if rates in Hz do not imply it.",
      valueName: "ms"))
  var sourceBinMs: Double?

  @Option(
    help: ArgumentHelp(
      "Cut a recording into trials of this length.", valueName: "s"))
  var trialSeconds: Double?

  @Option(
    help: ArgumentHelp(
      "The unit of true rates: Hz or counts per bin; auto decides from the spikes.",
      valueName: "auto|hz|bin"))
  var rates = SpikeOptions.RateUnit.auto

  @Option(
    help: ArgumentHelp(
      "Chooses the trials of the parts, and the neurons of --held-out.", valueName: "number"))
  var seed: UInt64 = 1

  func validate() throws {
    for (name, value, range) in [
      ("bin-ms", binMs, 0.01...100_000), ("source-bin-ms", sourceBinMs, 0.01...100_000),
      ("trial-seconds", trialSeconds, 0.001...1_000_000),
    ] {
      guard let value, !range.contains(value) else { continue }
      throw ValidationError(
        "--\(name) is \(value); expected a number within \(range.lowerBound)..."
          + "\(range.upperBound).")
    }
    guard Set(axisNames) == Set(SpikeOptions.axes), axisNames.count == 3 else {
      throw ValidationError(
        "--axes is \(axes ?? ""); expected trials, steps and neurons in some order, separated by"
          + " commas.")
    }
  }

  private var axisNames: [String] {
    axes.map(names(inList:)) ?? SpikeOptions.axes
  }

  func run() throws {
    do {
      var options = split.options(seed: seed)
      (options.dataset, options.axes, options.rateUnit) = (dataset, axisNames, rates)
      options.binSeconds = binMs.map { $0 / 1000 }
      options.sourceBinSeconds = sourceBinMs.map { $0 / 1000 }
      options.trialSeconds = trialSeconds
      try split.write(SpikeArchive.read(from, options))
    } catch {
      throw RunFailure(error)
    }
  }
}
