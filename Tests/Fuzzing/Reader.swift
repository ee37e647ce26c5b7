// SPDX-License-Identifier: Apache-2.0

import Configuration
import Audio
import Checkpoints
import Datasets
import Foundation
import HDF5
import ImageFiles
import Liveness
import Reports
import Tensors
import Training

/// A reader of foreign files. It must read or refuse any bytes.
enum Reader: String, CaseIterable {
  case idx, sound, archive, stamps, table, long, text, yaml, manifest, order
  case images, ragged, language, frames, recordings, listing
  case png, jpeg, matlab, nwb
  case arrays, series, safetensors
  case heartbeat, report

  /// The name of the file.
  var fileName: String {
    switch self {
    case .archive, .stamps: "x_TRAIN.ts"
    case .manifest: CheckpointManifest.fileName
    case .report: "metrics.jsonl"
    case .heartbeat, .idx, .sound, .table, .long, .text, .yaml, .order, .png, .jpeg, .matlab,
      .safetensors:
      "input.\(rawValue)"
    case .images, .ragged, .language, .frames, .recordings, .listing, .nwb: "input.h5"
    case .arrays: "input.npz"
    case .series: "input.csv"
    }
  }

  /// Reads the file of this name in a folder.
  func read(in folder: String) throws {
    let path = "\(folder)/\(fileName)"
    switch self {
    case .idx: _ = try IDXArray(contentsOf: path, dimensions: 3)
    case .sound: _ = try AudioFile(contentsOf: path).resampled(to: 8000)
    case .archive: _ = try TSArchive.read([folder])
    case .stamps: _ = try TSArchive.read([folder], missing: .carry)
    case .long:
      var format = CSVFormat()
      (format.id, format.time, format.target, format.missing) = ("i", "t", "c", .drop)
      _ = try CSVTable.read([path], format)
    case .table: _ = try CSVTable.read([path], CSVFormat())
    case .text: _ = try TextCorpus(TextFolder(path).files, level: .word, keeping: 9)
    case .yaml: _ = try TrainingConfiguration(yaml: text(path), path: path)
    case .manifest: _ = try CheckpointReader(folder)
    case .order: _ = try PixelOrder.file(path).indices(of: 6)
    case .images: try read(FileSource(path, part: .train, view: .rows))
    case .ragged:
      try read(SequenceFileSource(path, task: "classification", part: .train, memoryLimit: 0))
    case .language:
      let columns = try TextFile(path).columns(of: .train, count: 2, own: 0..<2)
      _ = try columns.tokens(at: 0..<columns.length)
    case .frames: try read(NextFrameSource(path, part: .train))
    case .listing: _ = try FileListing(path, readingAll: true)
    case .png, .jpeg: _ = try ImageFile(contentsOf: path).fitted(ImageFitting(size: 2))
    case .matlab, .nwb:
      var options = SpikeOptions()
      (options.binSeconds, options.sourceBinSeconds) = (0.1, 0.1)
      (options.validationShare, options.dataset) = (0, self == .matlab ? "session.counts" : nil)
      _ = try SpikeArchive.read(path, options)
    case .arrays:
      _ = try UnlabelledSequences(path, UnlabelledFormat())
      _ = try ArrayArchive(archive: path, inputs: nil, targets: nil).read()
    case .series: _ = try SeriesArchive(path, CSVFormat())
    case .safetensors:
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      _ = try SafetensorsFile.tensors(in: Array(bytes), path: path)
    case .heartbeat: readHeartbeats(try Data(contentsOf: URL(fileURLWithPath: path)))
    case .report:
      // The first line is what `evaluate` has left.
      let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: 10)
      try (lines.first ?? Data()).write(
        to: URL(fileURLWithPath: EvaluationRecord.path(in: folder, split: "test")))
      let run = try RunRecord(folder) { _, _ in nil }
      let page = ReportPage([run], defaults: [], version: "0").html
      precondition(!page.contains("<script") && !page.contains("onerror="), "markup gets in")
    case .recordings:
      let archive = try SpeechArchive(path)
      for index in archive.utterances.indices { _ = try archive.samples(of: index) }
    }
  }

  /// Whether this error refuses bad input correctly: it is one of ours, in one line.
  func isRefusal(_ error: any Error) -> Bool {
    let isOurs =
      error is DatasetError || error is AudioError || error is CheckpointError
      || error is ConfigurationError || error is ImageFileError || error is ReportError
    return isOurs && !"\(error)".contains("\n")
  }

  /// Bytes as they arrive at a port, and with a valid tag.
  private func readHeartbeats(_ data: Data) {
    var coder = HeartbeatCoder(key: (1, 2), ranks: 3)
    precondition(coder.heartbeat(Array(data)) == nil, "a tag was found")
    _ = coder.heartbeat(coder.tagged(Array(data.prefix(HeartbeatCoder.byteCount - 8))))
  }

  private func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }

  private func read(_ source: some SequenceSource) throws {
    let count = min(source.count, 3)
    let steps = (0..<count).reduce(0) { max($0, source.length(of: $1)) }
    // The sizes of a file may be large and still be true; the memory for a batch is the caller's.
    let size = steps.multipliedReportingOverflow(by: source.features)
    guard !size.overflow, size.partialValue <= 1 << 20 else { return }
    let x = Tensor<Float>(shape: [steps, count, source.features])
    _ = try source.read(Array(0..<count)[...], into: x)
  }
}
