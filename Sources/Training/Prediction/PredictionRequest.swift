// SPDX-License-Identifier: Apache-2.0

import Datasets

/// A request of `predict`: the model, the inputs, and the outputs.
public struct PredictionRequest: Sendable {
  /// A run's folder or a checkpoint's.
  public var path: String
  /// The checkpoint of a run's folder to use.
  public var choice = CheckpointChoice.best
  /// Keys to override, as `key.path=value`.
  public var assignments: [String] = []
  /// The file of the inputs.
  public var file: String
  /// The part of an HDF5 file; nil is its test part, or its only one.
  public var part: DatasetFile.Part?
  /// How a file that is not HDF5 is read. Sizes are filled in from the checkpoint.
  public var format = UnlabelledFormat()
  /// Whether the inputs are normalised already, so that they are not changed.
  public var isNormalised = false
  /// Whether to return the states of the last layer.
  public var wantsHidden = false
  /// Whether to return the outputs of all layers.
  public var wantsFeatures = false
  /// How many steps beyond the end are forecast by feeding forecasts back; nil is the horizon.
  public var rollOut: Int?
  /// Whether steps arrive one by one; see `PredictionSession.stream`.
  public var isStream = false
  /// The file that receives the predictions; nil if they are printed.
  public var to: String?
  /// Whether files of other kinds may be replaced.
  public var overwrites = false
  /// The file of the state that the sequences continue from.
  public var state: String?
  /// The file that receives the state after the last step.
  public var stateTo: String?

  public init(_ path: String, file: String) {
    self.path = path
    self.file = file
  }
}
