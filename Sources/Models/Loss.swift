import Kernels
import Tensors

/// What a pass over some sequences adds up to. All members are plain sums, so that a mean over
/// shards, ranks and batches is one sum over one count, never a mean of means.
public struct Totals: Sendable, Equatable {
  /// The sum of the loss over the valid elements.
  public var loss: Double
  /// How many valid elements there were.
  public var elements: Double
  /// How many predictions were right, where that has a meaning.
  public var correct: Double
  /// How many predictions `correct` is among: not those that nobody asks about.
  public var judged: Double
  /// How many sequences there were.
  public var sequences: Double

  public init(
    loss: Double = 0, elements: Double = 0, correct: Double = 0, judged: Double = 0,
    sequences: Double = 0
  ) {
    self.loss = loss
    self.elements = elements
    self.correct = correct
    self.judged = judged
    self.sequences = sequences
  }

  /// The members in order, for sending.
  public var values: [Double] { [loss, elements, correct, judged, sequences] }

  /// The totals that `values` came from.
  public init(values: [Double]) {
    precondition(values.count == Totals.count, "totals have \(Totals.count) members")
    self.init(
      loss: values[0], elements: values[1], correct: values[2], judged: values[3],
      sequences: values[4])
  }

  /// How many members there are.
  public static let count = 5

  public static func + (a: Totals, b: Totals) -> Totals {
    Totals(
      loss: a.loss + b.loss, elements: a.elements + b.elements, correct: a.correct + b.correct,
      judged: a.judged + b.judged, sequences: a.sequences + b.sequences)
  }

  /// The share of right predictions; not a number over none.
  public var accuracy: Double { correct / judged }

  /// The mean loss; not a number over nothing.
  public var meanLoss: Double { loss / elements }
}

/// Losses over rows of predictions: the sum over the elements, and the gradient of that sum.
public enum Loss {
  /// -log softmax(z)_k of the true class k, summed over rows.
  ///
  /// - Parameters:
  ///   - logits: z [N, K]
  ///   - classes: the true class of each row, 0 ..< K
  ///   - unjudged: a class whose rows count in the loss alone, not among the right and the wrong
  ///   - gradient: receives softmax(z) - onehot(k), [N, K]; nil if not wanted. May be `logits`
  @specialized(where Scalar == Float)
  public static func crossEntropy<Scalar: KernelScalar>(
    _ logits: Tensor<Scalar>, classes: ArraySlice<Int32>, unjudged: Int32? = nil,
    gradient: Tensor<Scalar>?
  ) -> Totals {
    let (rows, K) = (logits.shape[0], logits.shape[1])
    precondition(classes.count == rows, "\(classes.count) classes for \(rows) rows")
    var totals = Totals(elements: Double(rows), sequences: Double(rows))
    let scratch = Tensor<Scalar>(shape: [gradient == nil ? K : 0])
    for (row, label) in classes.enumerated() {
      let k = Int(label)
      precondition(k >= 0 && k < K, "class \(k) outside 0 ..< \(K)")
      let z = logits.row(row)
      let ownLogit = z[k]
      // The exponentials go where the gradient will be, which may be the logits themselves.
      let exponentials = gradient?.row(row) ?? scratch
      let softmax = SoftmaxRow(z, exponentials: exponentials)
      totals.loss += Double(Scalar.logarithm(softmax.sum) - (ownLogit - softmax.largest))
      if label != unjudged {
        totals.judged += 1
        if softmax.best == k { totals.correct += 1 }
      }
      guard gradient != nil else { continue }
      exponentials.divide(by: softmax.sum)
      exponentials[k] -= 1
    }
    return totals
  }

  /// The class with the largest logit, the first of several.
  @inline(__always)
  static func mostLikely<Scalar: KernelScalar>(_ logits: Tensor<Scalar>) -> Int {
    logits.withSpan { z in
      var best = 0
      for index in 1..<max(z.count, 1) where z[index] > z[best] { best = index }
      return best
    }
  }

  /// (y - target)², summed over all elements.
  ///
  /// - Parameters:
  ///   - predictions: y [N, K]
  ///   - targets: [N·K]
  ///   - gradient: receives 2 (y - target), [N, K]; nil if not wanted
  @specialized(where Scalar == Float)
  public static func squaredError<Scalar: KernelScalar>(
    _ predictions: Tensor<Scalar>, targets: ArraySlice<Float>, gradient: Tensor<Scalar>?
  ) -> Totals {
    precondition(
      targets.count == predictions.count,
      "\(targets.count) targets for predictions \(predictions.shape)")
    var totals = Totals(
      elements: Double(predictions.count), sequences: Double(predictions.shape[0]))
    for (index, target) in targets.enumerated() {
      let error = predictions[index] - Scalar(target)
      totals.loss += Double(error) * Double(error)
      gradient?[index] = 2 * error
    }
    return totals
  }
}
