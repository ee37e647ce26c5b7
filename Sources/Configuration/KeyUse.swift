// SPDX-License-Identifier: Apache-2.0

import Datasets
import KernelInterface
import Layers

/// Which runs use a key, by the choices that a configuration makes.
///
/// The rule is next to the key, or next to its section, in `visit`. A key that a user set and that
/// the run does not use is refused, regardless of its value; `--list-keys` leaves it out. A key
/// that only sets a limit, such as `dataset.memory`, counts as used even if the limit is not
/// reached.
public struct KeyUse: Sendable {
  /// The choice that makes a run not use the key, as in "model.cell=lstm"; nil if the run uses it.
  let obstacle: @Sendable (TrainingConfiguration) -> String?

  /// Every run uses the key.
  static let always = KeyUse { _ in nil }

  /// Runs that meet two conditions: the section's and the key's own.
  func and(_ other: KeyUse) -> KeyUse {
    KeyUse { obstacle($0) ?? other.obstacle($0) }
  }
}

// MARK: - Choices that keys depend on

extension KeyUse {
  /// Runs with one of these tasks.
  static func tasks(_ names: TaskName...) -> KeyUse { tasks { names.contains($0) } }

  /// Runs whose sequences are generated: their task needs no file, and none is named.
  static let generated = tasks { !$0.needsFile }.and(
    KeyUse { $0.dataset.file.isEmpty ? nil : "dataset.file=\($0.dataset.file)" })

  /// Runs with a task that can learn from a user's own file.
  static let ownFileTasks = tasks(
    .adding, .copying, .denoise, .classification, .regression, .tagging, .multilabel)

  /// Runs with a task that learns from whole sequences.
  static let sequences = tasks { $0 != .languageModel }

  /// Runs that cut series into windows.
  static let forecasts = tasks(.forecast)

  /// Runs with a task whose inputs can be normalised on reading.
  static let normalizableTasks = tasks(
    .classification, .regression, .tagging, .multilabel)

  /// Runs with a task whose datasets may have user-defined names.
  static let namedFileTasks = tasks(
    .adding, .copying, .denoise, .classification, .regression, .tagging, .multilabel,
    .maskedSpikes)

  private static func tasks(_ fits: @escaping @Sendable (TaskName) -> Bool) -> KeyUse {
    KeyUse {
      fits($0.dataset.task) ? nil : "dataset.task=\($0.dataset.task.rawValue)"
    }
  }

  /// Runs that view their sequences in this way.
  static func view(_ view: SequenceView) -> KeyUse {
    KeyUse {
      $0.dataset.view == view ? nil : "dataset.view=\($0.dataset.view.rawValue)"
    }
  }

  /// Runs whose pixels are in one of these orders.
  static func permutations(_ choices: PermutationChoice...) -> KeyUse {
    KeyUse {
      choices.contains($0.dataset.permutation)
        ? nil : "dataset.permutation=\($0.dataset.permutation.rawValue)"
    }
  }

  /// Runs of a cell that has this constant.
  static func constant(_ constant: RecurrentSystem.Hyperparameter) -> KeyUse {
    let cells = cells { $0.hyperparameters.contains(constant) }
    return constant == .graph ? cells : cells.and(nodes { $0.hyperparameters.contains(constant) })
  }

  /// Runs without a graph, and graphs with a cell of this kind among their nodes.
  private static func nodes(_ fits: @escaping @Sendable (RecurrentSystem) -> Bool) -> KeyUse {
    KeyUse {
      guard let systems = $0.model.systemsOfGraph else { return nil }
      return systems.contains(where: fits) ? nil : "model.graph"
    }
  }

  /// Runs of a cell that can have norms.
  static let normalizableCells = KeyUse {
    $0.model.cell.system.normalized(by: .layer) == nil
      ? "model.cell=\($0.model.cell.configurationText)" : nil
  }

  /// Runs of a cell with gates that start at a bias.
  static let gatedCells = cells(\.usesGateBias).and(nodes(\.usesGateBias))

  /// Runs of a transformer encoder.
  static let encoders = cells(\.isEncoder)

  /// Runs of a transformer encoder whose steps are embedded in this way.
  static func embedding(_ embedding: TransformerSettings.Embedding) -> KeyUse {
    KeyUse {
      $0.ndt.embedding == embedding ? nil : "ndt.embedding=\($0.ndt.embedding.rawValue)"
    }
  }

  /// Runs of a cell whose recurrent matrix is orthogonal.
  static let orthogonalCells = cells { $0.orthogonal != nil }

  /// Runs of a cell whose orthogonal matrix moves its base.
  static let dynamicCells = cells { $0.orthogonal?.isDynamic == true }

  private static func cells(_ fits: @escaping @Sendable (RecurrentSystem) -> Bool) -> KeyUse {
    KeyUse {
      let model = $0.model
      guard !fits(model.system) else { return nil }
      // With other norms the same cell may use the key.
      let others = Normalization.allCases.compactMap { model.cell.system.normalized(by: $0) }
      return others.contains(where: fits)
        ? "model.normalization=\(model.normalization.rawValue)"
        : "model.cell=\(model.cell.configurationText)"
    }
  }

  /// Runs that update parameters by one of these rules: all of them, or only the skew ones.
  static func rules(_ rules: OptimizerSettings.Name...) -> KeyUse {
    KeyUse { configuration in
      var used = [configuration.optimizer.name]
      if configuration.model.cell.system.orthogonal != nil,
        let skew = OptimizerSettings.Name(rawValue: configuration.optimizer.orthogonalRule.rawValue)
      {
        used.append(skew)
      }
      return used.contains(where: rules.contains)
        ? nil : "optimizer.name=\(configuration.optimizer.name.rawValue)"
    }
  }

  /// Runs whose parameters, apart from skew ones, start with this rule.
  static func mainRule(_ rule: OptimizerSettings.Name) -> KeyUse {
    KeyUse {
      $0.optimizer.name == rule ? nil : "optimizer.name=\($0.optimizer.name.rawValue)"
    }
  }

  /// Runs whose learning rate follows one of these schedules.
  static func schedules(_ schedules: OptimizerSettings.Schedule...) -> KeyUse {
    KeyUse {
      schedules.contains($0.optimizer.schedule)
        ? nil : "optimizer.schedule=\($0.optimizer.schedule.rawValue)"
    }
  }
}

extension TrainingConfiguration {
  /// The keys that the numbers of this run depend on, and their values; without empty ones and
  /// without names inside of data sets.
  public var hyperparameters: [(key: String, value: String)] {
    keys.filter { key in
      (key.effect != .nothing || key.path == "epochs") && key.use.obstacle(self) == nil
        && !key.value.isEmpty && !key.value.contains("{part}")
    }.map { ($0.path, $0.value) }
  }

  /// Refuses a key that a user set and that the run does not use.
  func refuseUnusedKeys(_ given: GivenValues) throws(ConfigurationError) {
    for key in keys {
      guard let value = given.values[key.path], value.isByHand,
        let obstacle = key.use.obstacle(self)
      else { continue }
      throw ConfigurationError(
        "\(value.place): \(key.path) is not used by \(obstacle); remove it")
    }
  }

  /// The keys that a run uses, with their values: all keys if neither a file nor an assignment
  /// chooses a task, a cell or an optimizer.
  ///
  /// The configuration need not be complete: it may lack a file.
  public static func keys(
    file: String?, assignments: [String]
  ) throws(ConfigurationError) -> [ConfigurationKey] {
    guard file != nil || !assignments.isEmpty else { return TrainingConfiguration().keys }
    let configuration = try TrainingConfiguration(
      reading: GivenValues(file: file, assignments: assignments))
    return configuration.keys.filter { $0.use.obstacle(configuration) == nil }
  }
}
