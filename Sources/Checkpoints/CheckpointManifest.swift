// SPDX-License-Identifier: Apache-2.0

import Datasets
import Foundation

/// The description of a checkpoint: everything except the numbers.
///
/// It is written last, as `manifest.json`; a folder without it is not a checkpoint.
public struct CheckpointManifest: Codable, Sendable {
  /// The version of the format that this program writes.
  ///
  /// Version 2 has the manifest's own checksum; version 1 has none, and can still be read.
  public static let currentFormatVersion = 2
  /// The name of the file in the checkpoint's folder.
  public static let fileName = "manifest.json"

  /// The kind of file; a reader refuses any other.
  public var format = "momentum-dist checkpoint"
  /// The version of the format of this checkpoint.
  public var formatVersion = CheckpointManifest.currentFormatVersion
  /// SHA-256 of the bytes of the file, with zeros instead of this value.
  public internal(set) var manifestSHA256: String?
  /// Optimizer steps taken.
  public var step: Int
  /// The current epoch, from 0.
  public var epoch: Int
  /// How many batches of the current epoch are done.
  public var batch: Int
  /// How many numbers are trained.
  public var parameterCount: Int
  /// SHA-256 over the parameters; see `ParametersDigest`.
  public var parametersSHA256: String
  /// The update rule and how often it was applied.
  public var optimizer: OptimizerState
  /// Numbers that the trainer carries from step to step, such as the best loss so far.
  public var progress: [String: Double]
  /// The key in `progress` of the step at which validation was best so far.
  public static let bestStepKey = "best_validation_step"

  /// The step at which validation was best so far; nil if nothing was validated yet.
  public var bestStep: Int? { progress[Self.bestStepKey].flatMap { Int(exactly: $0) } }
  /// Every tensor, in order.
  public var tensors: [TensorEntry]
  /// The shard files.
  public var files: [FileEntry]
  /// The resolved configuration of the run, as YAML.
  public var configuration: String
  /// What the bits depend on in addition to the configuration.
  public var machine: Machine
  /// The data that the run learned from; nil if the checkpoint's version did not store it.
  public var data: DataIdentity?

  /// The optimizer of a run, without its tensors.
  public struct OptimizerState: Codable, Sendable {
    /// The name of the update rule: "adam".
    public var name: String
    /// t, the updates so far.
    public var stepCount: Int

    public init(name: String, stepCount: Int) {
      self.name = name
      self.stepCount = stepCount
    }

    private enum CodingKeys: String, CodingKey {
      case name
      case stepCount = "step_count"
    }
  }

  /// A tensor's path in the files and its whole shape.
  public struct TensorEntry: Codable, Sendable, Hashable {
    /// The path in the files, such as `parameters/rnn.weight_ih_l0`.
    public var path: String
    /// The shape of the whole tensor, before it is cut into shards.
    public var shape: [Int]

    public init(path: String, shape: [Int]) {
      self.path = path
      self.shape = shape
    }
  }

  /// A shard file, its size and checksum.
  public struct FileEntry: Codable, Sendable {
    /// The name in the checkpoint's folder.
    public var name: String
    /// The size of the file.
    public var bytes: Int
    /// SHA-256 of the file's bytes, in hexadecimal.
    public var sha256: String
  }

  /// What the bits of a run depend on in addition to its configuration. A resume on another machine
  /// prints a note.
  public struct Machine: Codable, Sendable, Equatable {
    /// The type of the parameters: "float32".
    public var precision: String
    /// The kernels that ran: "avx2".
    public var kernels: String
    /// The kernels of OpenBLAS: "Haswell".
    public var blasCore: String
    /// The number of virtual shards of a batch.
    public var virtualShards: Int
    /// How many ranks wrote the checkpoint: for information only.
    public var ranks: Int
    /// The program that wrote the checkpoint, and its version.
    public var program: String

    public init(
      precision: String, kernels: String, blasCore: String, virtualShards: Int, ranks: Int,
      program: String
    ) {
      self.precision = precision
      self.kernels = kernels
      self.blasCore = blasCore
      self.virtualShards = virtualShards
      self.ranks = ranks
      self.program = program
    }

    private enum CodingKeys: String, CodingKey {
      case precision, kernels, ranks, program
      case blasCore = "blas_core"
      case virtualShards = "virtual_shards"
    }
  }

  public init(
    step: Int, epoch: Int, batch: Int, parameterCount: Int, parametersSHA256: String = "",
    optimizer: OptimizerState,
    progress: [String: Double], tensors: [TensorEntry], files: [FileEntry], configuration: String,
    machine: Machine, data: DataIdentity? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.batch = batch
    self.parameterCount = parameterCount
    self.parametersSHA256 = parametersSHA256
    self.optimizer = optimizer
    self.progress = progress
    self.tensors = tensors
    self.files = files
    self.configuration = configuration
    self.machine = machine
    self.data = data
  }

  private enum CodingKeys: String, CodingKey {
    case format
    case formatVersion = "format_version"
    case manifestSHA256 = "manifest_sha256"
    case step, epoch, batch
    case parameterCount = "parameter_count"
    case parametersSHA256 = "parameters_sha256"
    case optimizer, progress, tensors, files, configuration, machine, data
  }
}
