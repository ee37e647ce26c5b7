import KernelInterface

// What cells are made of, one number after the other.

extension ReferenceKernels {
  /// A packed matrix is W [M, K] as it is.
  static func packedCount(depth: Int, columns: Int) -> Int { depth * columns }

  static func pack(_ call: PackCall<Scalar>) {
    for column in 0..<call.columns {
      for k in 0..<call.depth {
        call.target[column * call.depth + k] =
          call.source[call.isTransposed ? k * call.columns + column : column * call.depth + k]
      }
    }
  }

  static func multiply(_ call: PackedProductCall<Scalar>) {
    for row in 0..<call.rows {
      for column in 0..<call.columns {
        call.y[row * call.columns + column] =
          dot(call.x + row * call.depth, call.packed + column * call.depth, call.depth)
          + (call.bias?[column] ?? 0)
      }
    }
  }

  static func apply(_ call: PointwiseCall<Scalar>) {
    ApplyWork(call: call).run(for: call.kind)
  }

  static func normalize(_ call: NormalizationCall<Scalar>) {
    let D = Scalar(call.columns)
    for row in 0..<call.rows {
      let z = call.z[row]
      var (mean, variance): (Scalar, Scalar) = (0, 0)
      for j in 0..<call.columns { mean += z[j] }
      mean /= D
      for j in 0..<call.columns { variance += (z[j] - mean) * (z[j] - mean) }
      variance /= D
      let inverse = 1 / (variance + call.epsilon).squareRoot()
      call.inverseDeviation[row][0] = inverse
      for j in 0..<call.columns {
        let normalised = (z[j] - mean) * inverse
        call.normalised[row][j] = normalised
        call.y[row][j] = normalised * call.gain[j] + call.shift[j]
      }
    }
  }

  /// With g = dy · gain and n the normalised row:
  ///
  ///     dz = (g - mean(g) - n mean(g n)) / std
  static func normalizeBackward(_ call: NormalizationBackwardCall<Scalar>) {
    let D = Scalar(call.columns)
    for row in 0..<call.rows {
      let (dy, n) = (call.dy[row], call.normalised[row])
      var (mean, slope): (Scalar, Scalar) = (0, 0)
      for j in 0..<call.columns {
        mean += dy[j] * call.gain[j]
        slope += dy[j] * call.gain[j] * n[j]
      }
      mean /= D
      slope /= D
      for j in 0..<call.columns {
        let gradient = dy[j]
        call.dGain[row][j] += gradient * n[j]
        call.dShift[row][j] += gradient
        call.dz[row][j] =
          call.inverseDeviation[row][0] * (gradient * call.gain[j] - mean - n[j] * slope)
      }
    }
  }
}

extension ReferenceKernels {
  static func exponential(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].exponential }
  }

  static func hyperbolicTangent(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].hyperbolicTangent }
  }

  static func logistic(
    _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    for index in 0..<count { y[index] = x[index].logistic }
  }
}

private struct ApplyWork<V: ScalarLanes>: PointwiseWork {
  let call: PointwiseCall<V>

  func run<F: PointwiseFormula>(_: F.Type) where F.V == V {
    for row in 0..<call.rows {
      for column in 0..<call.columns {
        let x = Eight(first: F.inputs, rest: V(0)) { call.inputs[$0][row][column] }
        let targets = Eight(first: F.outputs, rest: call.outputs[0][row]) { call.outputs[$0][row] }
        F.apply(x).forEach(first: F.outputs, with: targets) { $1[column] = $0 }
      }
    }
  }
}

extension ColumnPointer {
  /// The first column of a row.
  fileprivate subscript(row: Int) -> UnsafeMutablePointer<Scalar> { start + row * stride }
}
