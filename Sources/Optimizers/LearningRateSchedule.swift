// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// How the learning rate changes: a factor on every group's rate.
///
/// A factor depends only on the position of the run, so a resumed run needs no saved state for it.
public struct LearningRateSchedule: Sendable {
  /// The position of a run before a step.
  public struct Position: Sendable {
    /// Steps taken.
    public var step: Int
    /// Steps of the whole run.
    public var totalSteps: Int
    /// Epochs done.
    public var epoch: Int
    /// The validation loss of each epoch so far.
    public var validationLosses: [Double]

    public init(step: Int, totalSteps: Int, epoch: Int, validationLosses: [Double]) {
      self.step = step
      self.totalSteps = totalSteps
      self.epoch = epoch
      self.validationLosses = validationLosses
    }
  }

  /// The multiplier of η for the step at a position.
  public let factor: @Sendable (Position) -> Double

  public init(_ factor: @escaping @Sendable (Position) -> Double) {
    self.factor = factor
  }

  /// Always 1.
  public static let constant = LearningRateSchedule { _ in 1 }

  /// Multiplied by `decay` after every `epochs` epochs.
  public static func step(every epochs: Int, decay: Double) -> LearningRateSchedule {
    LearningRateSchedule { pow(decay, Double($0.epoch / epochs)) }
  }

  /// Half a cosine from 1 at the first step to 0 at the end of the run (Loshchilov and Hutter,
  /// 2017).
  public static let cosine = LearningRateSchedule {
    0.5 * (1 + cos(.pi * Double($0.step) / Double(max($0.totalSteps, 1))))
  }

  /// 1 for `steps` steps, then half a cosine from there to 0 at the end of the run. Warmed up over
  /// the same steps it is `get_cosine_schedule_with_warmup` of Hugging Face's transformers.
  public static func cosine(from steps: Int) -> LearningRateSchedule {
    LearningRateSchedule { position in
      let share =
        Double(max(position.step - steps, 0)) / Double(max(position.totalSteps - steps, 1))
      return 0.5 * (1 + cos(.pi * min(share, 1)))
    }
  }

  /// Multiplied by `decay` whenever the validation loss has not fallen for more than `patience`
  /// epochs (PyTorch's ReduceLROnPlateau with its threshold of 1e-4, relative).
  public static func plateau(patience: Int, decay: Double) -> LearningRateSchedule {
    LearningRateSchedule { position in
      var (best, waited, factor) = (Double.infinity, 0, 1.0)
      for loss in position.validationLosses {
        if loss < best * (1 - 1e-4) {
          (best, waited) = (loss, 0)
        } else {
          waited += 1
        }
        if waited > patience { (waited, factor) = (0, factor * decay) }
      }
      return factor
    }
  }

  /// This schedule after a linear rise over the first `steps` steps.
  public func warmedUp(over steps: Int) -> LearningRateSchedule {
    guard steps > 0 else { return self }
    return LearningRateSchedule { [factor] position in
      min(1, Double(position.step + 1) / Double(steps)) * factor(position)
    }
  }
}

/// Whether a run should change from SGD to averaged SGD (Merity et al., 2018): if the validation
/// loss of the last epoch is above the best of all epochs except the `window` before it.
public func shouldStartAveraging(validationLosses: [Double], window: Int) -> Bool {
  guard let last = validationLosses.last else { return false }
  let earlier = validationLosses.dropLast()
  guard earlier.count > window else { return false }
  return last > earlier.dropLast(window).min()!
}
