public import KernelInterface

extension SIMDKernels {
  /// Applies a pointwise formula.
  public static func apply(_ call: PointwiseCall<Float>) {
    ApplyWork(call: call).run(for: call.kind)
  }
}

private struct ApplyWork: PointwiseWork {
  /// Two registers side by side, because one alone would wait for each of its operations.
  typealias V = Twin<Vector>
  let call: PointwiseCall<Float>

  func run<F: PointwiseFormula>(_: F.Type) where F.V == V {
    let (inputs, outputs) = (call.inputs, call.outputs)
    for row in 0..<call.rows {
      var (first, left) = (0, call.columns)
      let x = Eight(first: F.inputs, rest: inputs[0].start) {
        inputs[$0].start + row * inputs[$0].stride
      }
      let y = Eight(first: F.outputs, rest: outputs[0].start) {
        outputs[$0].start + row * outputs[$0].stride
      }
      while left >= 2 * Vector.width {
        F.apply(
          x.map(first: F.inputs, rest: V(0)) { start in
            V(Vector(start + first), Vector(start + first + Vector.width))
          }
        ).forEach(first: F.outputs, with: y) { value, start in
          value.first.store(start + first)
          value.second.store(start + first + Vector.width)
        }
        first += 2 * Vector.width
        left -= 2 * Vector.width
      }
      if left > 0 {
        let (low, high) = (min(left, Vector.width), max(left - Vector.width, 0))
        F.apply(
          x.map(first: F.inputs, rest: V(0)) { start in
            V(
              Vector.loading(start + first, low),
              high > 0 ? Vector.loading(start + first + Vector.width, high) : Vector(0))
          }
        ).forEach(first: F.outputs, with: y) { value, start in
          value.first.storing(low, start + first)
          if high > 0 { value.second.storing(high, start + first + Vector.width) }
        }
      }
    }
  }
}
