// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomNumbers
import Tensors

/// Sequences that show symbols early and ask for them at the end, generated on the fly.
///
/// A sequence has T + 2K steps. K symbols of an alphabet of A are among the first T + K - 1 steps,
/// and a marker is at step T + K. After it the answers are the symbols, in order. Before that, the
/// answer is the blank:
///
///     input     s_1 s_2 ... s_K  blank ... blank   marker  blank ... blank     copying
///     input     blank s_1 blank blank s_2 ... s_K  marker  blank ... blank     denoise
///     target    blank ........................... blank    s_1 s_2 ... s_K
///
/// Inputs are one-hot: 0 is the blank, 1 ... A the symbols, A + 1 the marker. Copying is that of
/// Hochreiter and Schmidhuber (1997) in the form of Arjovsky, Shah and Bengio (2016), denoise that
/// of Jing et al. (Gated Orthogonal Recurrent Units, 2017).
public struct RecallProblem: SequenceSource {
  /// The positions of the symbols.
  public enum Placement: String, Sendable {
    /// In the first K steps.
    case copying
    /// At K different steps among the first T + K - 1.
    case denoise
  }

  /// The steps that a loss is a mean over.
  public enum JudgedSteps: String, Sendable, CaseIterable {
    /// All T + 2K steps: before the marker the answer is the blank.
    case all
    /// The last K steps, whose answers are the symbols.
    case recalled
  }

  /// The places of the symbols in the sequence.
  public let placement: Placement
  public let count: Int
  /// K.
  public let symbols: Int
  /// A.
  public let alphabet: Int
  /// T.
  public let delay: Int
  private let seed: UInt64
  private let part: DatasetFile.Part

  public var steps: Int { delay + 2 * symbols }
  public var features: Int { alphabet + 2 }
  public var targetKind: TargetKind { .stepClasses(alphabet + 1) }

  /// - Parameters:
  ///   - placement: where the symbols are
  ///   - count: the number of sequences
  ///   - delay: T, at least 1
  ///   - symbols: K, at least 1
  ///   - alphabet: A, from 1 to 250
  ///   - seed: a different seed gives different sequences
  ///   - part: each part has different sequences
  public init(
    _ placement: Placement, count: Int, delay: Int, symbols: Int, alphabet: Int, seed: UInt64,
    part: DatasetFile.Part
  ) {
    precondition(delay >= 1 && symbols >= 1, "a marker and a symbol need a step each")
    precondition((1...250).contains(alphabet), "an alphabet of \(alphabet)")
    self.placement = placement
    self.count = count
    self.delay = delay
    self.symbols = symbols
    self.alphabet = alphabet
    self.seed = seed
    self.part = part
  }

  /// The answer at steps whose answer is not a symbol.
  public static let blank: Int32 = 0

  /// The cross-entropy per step of answering the blank up to the marker and guessing after it: K ln
  /// A / (T + 2K).
  public var chanceLoss: Double {
    Double(symbols) * log(Double(alphabet)) / Double(steps)
  }

  /// A description of the answer that `chanceLoss` measures.
  public static let chanceMeaning = "answering blanks, then guessing"

  /// One sequence: the input and the answer of each step, as numbers of symbols.
  public func sequence(_ index: Int) -> (inputs: [UInt8], targets: [UInt8]) {
    precondition(index >= 0 && index < count, "sequence \(index) of \(count)")
    let partNumber = DatasetFile.Part.allCases.firstIndex(of: part)!
    var stream = RandomStream(seed: seed, purpose: .generatedData, step: partNumber, index: index)
    let shown = (0..<symbols).map { _ in UInt8(1 + stream.below(alphabet)) }
    let places =
      switch placement {
      case .copying: Array(0..<symbols)
      case .denoise: stream.permutation(delay + symbols - 1).prefix(symbols).sorted()
      }
    var inputs = [UInt8](repeating: 0, count: steps)
    var targets = inputs
    for (number, place) in places.enumerated() {
      inputs[place] = shown[number]
      targets[delay + symbols + number] = shown[number]
    }
    inputs[delay + symbols - 1] = UInt8(alphabet + 1)
    return (inputs, targets)
  }

  public func read(
    _ indices: ArraySlice<Int>, into x: Tensor<Float>
  ) throws(DatasetError) -> SequenceTargets {
    let (T, N, C) = (steps, indices.count, features)
    precondition(x.shape == [T, N, C], "a buffer of \(x.shape) for [\(T), \(N), \(C)]")
    var classes = [Int32](repeating: 0, count: T * N)
    x.fill(0)
    x.withMutableSpan { x in
      for (n, index) in indices.enumerated() {
        let (inputs, targets) = sequence(index)
        for t in 0..<T {
          x[(t * N + n) * C + Int(inputs[t])] = 1
          classes[t * N + n] = Int32(targets[t])
        }
      }
    }
    return SequenceTargets(targetKind, whole: classes)
  }
}
