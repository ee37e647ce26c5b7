import Foundation

/// What a checkpoint is: everything about it but the numbers.
///
/// It is written last, as `manifest.json`; a folder without it is no checkpoint.
public struct CheckpointManifest: Codable, Sendable {
  /// The version of the format that this program writes.
  public static let currentFormatVersion = 1
  public static let fileName = "manifest.json"

  public var format = "momentum-dist checkpoint"
  public var formatVersion = CheckpointManifest.currentFormatVersion
  /// Optimizer steps taken.
  public var step: Int
  /// The epoch at hand, from 0, and how many of its batches are done.
  public var epoch: Int
  public var batch: Int
  /// How many numbers are trained.
  public var parameterCount: Int
  /// SHA-256 over the parameters, see `ParametersDigest`.
  public var parametersSHA256: String
  public var optimizer: OptimizerState
  /// Numbers that the trainer carries from step to step, such as the best loss so far.
  public var progress: [String: Double]
  /// Every tensor, in order.
  public var tensors: [TensorEntry]
  public var files: [FileEntry]
  /// The resolved configuration of the run, as YAML.
  public var configuration: String
  public var machine: Machine

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

  /// What the bits of a run depend on besides its configuration; a resume elsewhere warns.
  public struct Machine: Codable, Sendable, Equatable {
    public var precision: String
    public var kernels: String
    public var blasCore: String
    public var virtualShards: Int
    /// How many ranks wrote the checkpoint: a note, never a condition.
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
    step: Int, epoch: Int, batch: Int, parameterCount: Int, parametersSHA256: String,
    optimizer: OptimizerState,
    progress: [String: Double], tensors: [TensorEntry], files: [FileEntry], configuration: String,
    machine: Machine
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
  }

  private enum CodingKeys: String, CodingKey {
    case format
    case formatVersion = "format_version"
    case step, epoch, batch
    case parameterCount = "parameter_count"
    case parametersSHA256 = "parameters_sha256"
    case optimizer, progress, tensors, files, configuration, machine
  }

  /// The manifest as JSON with sorted keys.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// Reads the manifest of a checkpoint folder.
  public init(ofCheckpoint folder: String) throws(CheckpointError) {
    let path = "\(folder)/\(Self.fileName)"
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CheckpointError(
        folder, "is no checkpoint (it has no readable \(Self.fileName))",
        cure: "name a run, or a step folder under its checkpoints/")
    }
    do {
      self = try JSONDecoder().decode(CheckpointManifest.self, from: data)
    } catch {
      throw CheckpointError(
        path, "cannot be understood (\(Self.brief(error)))",
        cure: "the file is damaged: use an older checkpoint")
    }
    guard format == "momentum-dist checkpoint", formatVersion == Self.currentFormatVersion else {
      throw CheckpointError(
        path, "is of the format \"\(format)\" version \(formatVersion)",
        cure: "this program reads version \(Self.currentFormatVersion)")
    }
    try checkNames(path)
  }

  /// Refuses what could lead outside the folder or to absurd allocations.
  private func checkNames(_ path: String) throws(CheckpointError) {
    let damaged = "the file is damaged or foreign: use an older checkpoint"
    for file in files where file.name.contains("/") || file.name.hasPrefix(".") {
      throw CheckpointError(path, "names the file \"\(file.name)\"", cure: damaged)
    }
    for tensor in tensors {
      var count = 1
      for extent in tensor.shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow, product < 1 << 40 else {
          throw CheckpointError(
            path, "gives \(tensor.path) the shape \(tensor.shape)", cure: damaged)
        }
        count = product
      }
    }
    guard step >= 0, epoch >= 0, batch >= 0 else {
      throw CheckpointError(path, "is at step \(step), epoch \(epoch)", cure: damaged)
    }
  }

  private static func brief(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "the key \(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "the value of \(context.codingPath.map(\.stringValue).joined(separator: ".")) is unfit"
    default: "it is not valid JSON"
    }
  }
}
