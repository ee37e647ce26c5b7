import Testing

/// Y = X Wᵀ + b.
@Suite struct LinearTests {
  private func product(
    _ variant: Variant, _ x: [Float], _ weight: [Float], _ bias: [Float]?, rows: Int
  ) -> [Float] {
    let inputs = x.count / rows
    let outputs = weight.count / inputs
    var y = [Float](repeating: 77, count: rows * outputs)
    x.withUnsafeBufferPointer { x in
      weight.withUnsafeBufferPointer { weight in
        y.withUnsafeMutableBufferPointer { y in
          let to = y.baseAddress!
          func run(_ bias: UnsafePointer<Float>?) {
            variant.linear(x.baseAddress!, weight.baseAddress!, bias, to, rows, inputs, outputs)
          }
          if let bias { bias.withUnsafeBufferPointer { run($0.baseAddress) } } else { run(nil) }
        }
      }
    }
    return y
  }

  @Test(arguments: Variant.all) func isTheProduct(variant: Variant) throws {
    try variant.requireSupport()
    var generator = SplitMix(state: 5)
    for (rows, inputs, outputs) in [(1, 1, 1), (7, 30, 10), (300, 5, 33), (13, 700, 130)] {
      let x = (0..<rows * inputs).map { _ in generator.symmetric() }
      let weight = (0..<outputs * inputs).map { _ in generator.symmetric() }
      let bias = (0..<outputs).map { _ in generator.symmetric() }
      for bias in [bias, nil] {
        let y = product(variant, x, weight, bias, rows: rows)
        var expected = [Double]()
        for row in 0..<rows {
          for output in 0..<outputs {
            var sum = Double(bias?[output] ?? 0)
            for k in 0..<inputs {
              sum += Double(x[row * inputs + k]) * Double(weight[output * inputs + k])
            }
            expected.append(sum)
          }
        }
        #expect(relativeError(y, expected) <= 2e-6, "\(rows) x \(inputs) x \(outputs)")
        // A row alone has the same bits.
        for row in [0, rows - 1, rows / 2] {
          let alone = product(
            variant, Array(x[row * inputs..<(row + 1) * inputs]), weight, bias, rows: 1)
          let same = alone.bits == Array(y[row * outputs..<(row + 1) * outputs]).bits
          #expect(same, "row \(row) of \(rows) x \(inputs) x \(outputs)")
        }
      }
    }
  }
}
