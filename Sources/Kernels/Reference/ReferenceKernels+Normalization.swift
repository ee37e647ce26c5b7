// SPDX-License-Identifier: Apache-2.0

import KernelInterface

extension ReferenceKernels {
  static func normalize(_ call: NormalizationCall<Scalar>) {
    let D = Scalar(call.columns)
    for row in 0..<call.rows {
      let z = call.z[row]
      var (mean, squares): (Scalar, Scalar) = (0, 0)
      for j in 0..<call.columns { mean += z[j] }
      mean /= D
      for j in 0..<call.columns { squares += (z[j] - mean) * (z[j] - mean) }
      var variance = squares / D
      if let window = call.window {
        (mean, variance) = pool(mean, squares, columns: D, window, row: row)
      }
      let inverse = 1 / (variance + call.epsilon).squareRoot()
      call.inverseDeviation[row][0] = inverse
      for j in 0..<call.columns {
        let normalised = (z[j] - mean) * inverse
        call.normalised[row][j] = normalised
        let y = normalised * call.gain[j] + call.shift[j]
        call.y[row][j] = call.isAdding ? call.y[row][j] + y : y
      }
    }
  }

  /// Adds a row to the front of its window.
  ///
  /// - Parameters:
  ///   - mean: the mean of the row
  ///   - squares: M2 of the row
  /// - Returns: the mean m of the n rows together, and their variance
  ///   Σ (M2_i + D (mean_i - m)²) / (n D)
  private static func pool(
    _ mean: Scalar, _ squares: Scalar, columns D: Scalar, _ window: NormalizationWindow<Scalar>,
    row: Int
  ) -> (mean: Scalar, variance: Scalar) {
    let (W, before, after) = (window.length, window.before[row], window.after[row])
    let filled = before.rowsFilled(of: W)
    let n = Scalar(filled + 1)
    let m = (0..<filled).reduce(mean) { $0 + before[$1] } / n
    var sum = squares + D * ((mean - m) * (mean - m))
    for i in 0..<filled { sum += before[W + i] + D * ((before[i] - m) * (before[i] - m)) }
    for i in (1..<W).reversed() {
      (after[i], after[W + i]) = (before[i - 1], before[W + i - 1])
    }
    (after[0], after[W], after[2 * W]) = (mean, squares, Scalar(min(filled + 1, W)))
    return (m, sum / (n * D))
  }

  /// With g = dy · gain and n the normalised row:
  ///
  ///     dz = (g - mean(g) - n mean(g n)) / std
  static func normalizeBackward(_ call: NormalizationBackwardCall<Scalar>) {
    let D = Scalar(call.columns)
    var group = 0
    for row in 0..<call.rows {
      group = call.group(of: row, after: group)
      let (dy, n) = (call.dy[row], call.normalised[row])
      let inverse = call.inverseDeviation[row][0]
      var (mean, slope): (Scalar, Scalar) = (0, 0)
      for j in 0..<call.columns {
        mean += dy[j] * call.gain[j]
        slope += dy[j] * call.gain[j] * n[j]
      }
      mean /= D
      slope /= D
      if call.window != nil {
        (mean, slope) = poolBackward(mean, slope, inverse, call, row: row)
      }
      for j in 0..<call.columns {
        let gradient = dy[j]
        call.dGain[group][j] += gradient * n[j]
        call.dShift[group][j] += gradient
        call.dz[row][j] = inverse * (gradient * call.gain[j] - mean - n[j] * slope)
      }
    }
  }

  /// The adjoint of `pool`. With r = 1 / std, the pooled statistics have the gradients
  ///
  ///     dm = -r Σ g,  dvar = -r²/2 Σ g n
  ///
  /// and each row of the n rows together has
  ///
  ///     dmean_i = dm/n + 2 dvar (mean_i - m)/n,  dM2_i = dvar/(n D)
  ///
  /// in addition to the terms from later rows. The call's own row passes both on to z as
  ///
  ///     dz = r g + dmean/D + 2 dM2 (z - mean)
  ///
  /// - Parameters:
  ///   - mean: mean(g)
  ///   - slope: mean(g n)
  ///   - r: 1 / std
  /// - Returns: the numbers that replace `mean` and `slope` in the formula of dz above
  private static func poolBackward(
    _ mean: Scalar, _ slope: Scalar, _ r: Scalar, _ call: NormalizationBackwardCall<Scalar>,
    row: Int
  ) -> (mean: Scalar, slope: Scalar) {
    guard let (window, gradient) = call.window else { return (mean, slope) }
    let (W, D) = (window.length, Scalar(call.columns))
    let (before, own) = (window.before[row], window.after[row][0])
    let (dBefore, dAfter) = (gradient.before[row], gradient.after[row])
    let filled = before.rowsFilled(of: W)
    let n = Scalar(filled + 1)
    let m = (0..<filled).reduce(own) { $0 + before[$1] } / n
    let dMean = -r * (mean * D) / n
    let dSquares = -r * r / 2 * slope / n
    for i in 0..<W {
      let isFilled = i < filled
      let (later, laterSquares) = i + 1 < W ? (dAfter[i + 1], dAfter[W + i + 1]) : (0, 0)
      dBefore[i] = later + (isFilled ? dMean + 2 * D * dSquares * (before[i] - m) : 0)
      dBefore[W + i] = laterSquares + (isFilled ? dSquares : 0)
    }
    dBefore[2 * W] = 0
    let dOwn = dAfter[0] + dMean + 2 * D * dSquares * (own - m)
    let dOwnSquares = dAfter[W] + dSquares
    // z - mean = n / r + (m - mean), and the formula of dz factors out r.
    return (-(dOwn / D + 2 * dOwnSquares * (m - own)) / r, -2 * dOwnSquares / (r * r))
  }
}

extension UnsafeMutablePointer where Pointee: BinaryFloatingPoint {
  /// How many of the W rows of a window are filled.
  fileprivate func rowsFilled(of W: Int) -> Int { Int(self[2 * W].rounded()) }
}
