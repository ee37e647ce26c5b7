// SPDX-License-Identifier: Apache-2.0

import Configuration
import Checkpoints
import Datasets
import Foundation
import HDF5
import Training

extension Reader {
  /// Writes a small valid file, from which the search starts.
  func writeSeed(to path: String) throws {
    switch self {
    case .idx: try write([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4], to: path)
    case .sound: try write(wav, to: path)
    case .archive:
      try write(
        "@problemName x\n@dimensions 2\n@classLabel true a b\n@data\n1,2:3,4:a\n5:6:b\n", to: path)
    case .stamps:
      try write(
        "@timestamps true\n@classLabel true a b\n@data\n(0,1),(1,2):(0,3):a\n(5,5):(5,6):b\n",
        to: path)
    case .long: try write("i,t,x,c\n1,0,5,a\n1,1,,a\n2,0,\"7\",b\n3,0,8,b\n", to: path)
    case .table: try write("1,2,3,a\n4,5,6,b\n-1,0.5,1e3,a\n", to: path)
    case .text: try write(String(repeating: "one two three\nfour five\n", count: 8), to: path)
    case .yaml: try write(TrainingConfiguration().yaml, to: path)
    case .manifest: try write(manifest, to: path)
    case .order: try write("3 1,2\n0\n5\t4\n", to: path)
    case .images:
      try writeHDF5(path, task: "classification") { file in
        try file.write((0..<24).map { UInt8($0) }, to: "train/inputs", shape: [2, 4, 3])
        try file.write([Int32(0), 1], to: "train/targets")
      }
    case .ragged:
      try writeHDF5(path, task: "classification") { file in
        try file.write((0..<10).map { Float($0) }, to: "train/inputs", shape: [5, 2])
        try file.write([0, 2, 5], to: "train/offsets")
        try file.write([Int32(0), 1], to: "train/targets")
      }
    case .language:
      let text = "\(path).txt"
      try write(String(repeating: "a b c\nd e\n", count: 20), to: text)
      try TextCorpus(TextFolder(text).files, level: .word).write(to: path)
      try FileManager.default.removeItem(atPath: text)
    case .frames:
      try writeHDF5(path, task: NextFrameSource.task, sums: true) { file in
        try file.write((0..<12).map { Float($0) }, to: "train/inputs", shape: [6, 2])
        try file.write([0, 2, 6], to: "train/offsets")
      }
    case .listing:
      let file = try HDF5.File.create(path)
      try file.write(
        (0..<24).map { Float($0) }, to: "data/x", shape: [4, 3, 2], chunk: [2, 3, 2], deflate: 1)
      try file.write([Int32(0), 1, 1, 0], to: "data/y")
      try file.close()
    case .heartbeat: try write([UInt8](repeating: 1, count: 48), to: path)
    case .report:
      try write(
        """
        {"split":"test","step":10,"epoch":1,"checkpoint":"best","loss":1,"metrics":{"accuracy":0.5},\
        "sequences":3,"elements":3,"confusion":[[1,0],[1,1]],"class_names":["a","<b>"]}
        {"step":5,"epoch":1,"split":"train","loss":2.0,"accuracy":0.25,"gradient_norm":3}
        {"step":10,"epoch":1,"split":"validation","loss":1.5,"chance_loss":2.5}

        """, to: path)
    case .png, .jpeg, .matlab: try write(literal, to: path)
    case .arrays: try write(arrays, to: path)
    case .safetensors:
      try SafetensorsFile.write(
        [CheckpointTensor(path: "a", shape: [2, 2], values: [1, 2, 3, 4])], metadata: ["k": "v"],
        to: path)
    case .series: try write((0..<9).map { "\($0),\($0 % 3)" }.joined(separator: "\n"), to: path)
    case .nwb:
      let file = try HDF5.File.create(path)
      try file.write([1.0, 1.05, 1.1, 2.31], to: "units/spike_times")
      try file.write([2, 4] as [UInt8], to: "units/spike_times_index")
      try file.write([0, 1] as [Int8], to: "units/heldout")
      try file.write([1.0, 2], to: "intervals/trials/start_time")
      try file.write([1.3, 2.35], to: "intervals/trials/stop_time")
      try file.close()
    case .recordings:
      let file = try HDF5.File.create(path)
      try file.setAttribute("sample_rate", 8000.0)
      try file.write((0..<600).map { Int16($0 % 77) }, to: "pcm")
      try file.write([0, 250, 600], to: "offset")
      try file.write([1, 2], to: "speaker")
      try file.close()
    }
  }

  private func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Writes a data set. Checksums would hide the code behind them, so most files have none.
  private func writeHDF5(
    _ path: String, task: String, sums: Bool = false, _ body: (HDF5.File) throws -> Void
  ) throws {
    func write(_ file: HDF5.File) throws {
      try file.setAttribute("format_version", DatasetFile.formatVersion)
      try file.setAttribute("task", task)
      try file.setAttribute("classes", 2)
      try body(file)
    }
    if sums { return try DatasetFile.create(at: path, write) }
    let file = try HDF5.File.create(path)
    try write(file)
    try file.close()
  }

  /// Sequences and classes, as numpy.savez writes them.
  private var arrays: [UInt8] {
    var writer = NumPyArchiveWriter()
    writer.add("x", [1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [4, 2])
    writer.add("y", [0, 1, 1, 0] as [Int32], shape: [4])
    return writer.archive
  }

  /// A hundred samples of 16 bits at 8 kHz.
  private var wav: [UInt8] {
    func little(_ value: Int, _ bytes: Int) -> [UInt8] {
      (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let samples = (0..<100).flatMap { little($0 * 300, 2) }
    let format = little(1, 2) + little(1, 2) + little(8000, 4) + little(16_000, 4) + little(2, 2)
    return Array("RIFF".utf8) + little(36 + samples.count, 4) + Array("WAVEfmt ".utf8)
      + little(16, 4) + format + little(16, 2) + Array("data".utf8) + little(samples.count, 4)
      + samples
  }

  /// A manifest of format version 1, which is not protected by its own checksum.
  private var manifest: String {
    """
    {"format":"momentum-dist checkpoint","format_version":1,"step":3,"epoch":1,"batch":2,
    "parameter_count":6,"parameters_sha256":"\(String(repeating: "0", count: 64))",
    "optimizer":{"name":"adam","step_count":3},"progress":{"best":0.5},
    "tensors":[{"path":"parameters/w","shape":[2,3]}],
    "files":[{"name":"shard-00000-of-00001.h5","bytes":10,"sha256":"00"}],
    "configuration":"seed: 1","machine":{"precision":"float32","kernels":"reference",
    "blas_core":"none","virtual_shards":8,"ranks":1,"program":"fuzz"}}
    """
  }

  /// A PNG file of 3 x 2 pixels, a gray JPEG file of 16 x 12, and a file of MATLAB with an array in a
  /// structure, which libmatio wrote.
  private var literal: [UInt8] {
    let text =
      switch self {
      case .png:
        """
        iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFElEQVR4nGNgYGRiZmFlY+dghLMAAnYASn7XIK8A
        AAAASUVORK5CYII=
        """
      case .jpeg:
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsj
        HBYWICwgIyYnKSopGR8tMC0oMCUoKSj/wAALCAAMABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACAf/xAAXEAAD
        AQAAAAAAAAAAAAAAAAAAB0OB/9oACAEBAAA/AI+tpYKtbSwKi2lgq1tLD//Z
        """
      default:
        """
        TUFUTEFCIDUuMCBNQVQtZmlsZSwgbGlibWF0aW8AICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAABSU0PAAAA
        cQAAAHic42MAAkYGBjYgxcEAoUGAFYh5gJgJiFmAmBkqzghVU1yQmZ1azMDACWQfYEAHH+yhDAcIxQGlBaC0CJSW
        gNIyUFoBSitBaRUorQalNaC0FpTWgdJ6UNoAShtCaSMobQylTaC0KZQ2g9LmDgBkDg2ADwAAADEAAAB4nONjYGAI
        AGI2IOYAYk4GCGAFYh4gZgJiFiBmhoozAmElVFwCLMDEzIKFAABCaAFTDwAAAGwAAAB4nONjYGB4AcRsQMwBxEwM
        EMAK5TMiYXYgLk4tLs7MzwPKs8DlBYA4Ob80r6SYgSEvMTcVpJ8PiAOQzOVEMpcHag8LEDNDxRmhNEhcAizAxMyC
        hQCZa4FkLgsW9zIjmScA5ScmJYP5AI9lCvw=
        """
      }
    return Array(Data(base64Encoded: text.filter { !$0.isNewline })!)
  }
}
