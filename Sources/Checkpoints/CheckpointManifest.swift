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
  public static let fileName = "manifest.json"

  public var format = "momentum-dist checkpoint"
  public var formatVersion = CheckpointManifest.currentFormatVersion
  /// SHA-256 of the bytes of the file, with zeros instead of this value.
  public internal(set) var manifestSHA256: String?
  /// Optimizer steps taken.
  public var step: Int
  /// The current epoch, from 0, and how many of its batches are done.
  public var epoch: Int
  public var batch: Int
  /// How many numbers are trained.
  public var parameterCount: Int
  /// SHA-256 over the parameters; see `ParametersDigest`.
  public var parametersSHA256: String
  public var optimizer: OptimizerState
  /// Numbers that the trainer carries from step to step, such as the best loss so far.
  public var progress: [String: Double]
  /// The key in `progress` of the step at which validation was best so far.
  public static let bestStepKey = "best_validation_step"

  /// The step at which validation was best so far; nil if nothing was validated yet.
  public var bestStep: Int? { progress[Self.bestStepKey].flatMap { Int(exactly: $0) } }
  /// Every tensor, in order.
  public var tensors: [TensorEntry]
  public var files: [FileEntry]
  /// The resolved configuration of the run, as YAML.
  public var configuration: String
  public var machine: Machine
  /// The data that the run learned from; nil if the checkpoint's version did not store it.
  public var data: DataIdentity?

  public struct OptimizerState: Codable, Sendable {
    public var name: String
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
    public var path: String
    public var shape: [Int]

    public init(path: String, shape: [Int]) {
      self.path = path
      self.shape = shape
    }
  }

  /// A shard file, its size and checksum.
  public struct FileEntry: Codable, Sendable {
    public var name: String
    public var bytes: Int
    public var sha256: String
  }

  /// What the bits of a run depend on besides its configuration; a resume on another machine prints
  /// a note.
  public struct Machine: Codable, Sendable, Equatable {
    public var precision: String
    public var kernels: String
    public var blasCore: String
    public var virtualShards: Int
    /// How many ranks wrote the checkpoint: for information only.
    public var ranks: Int
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
