// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

/// y = x Wᵀ + b with a packed matrix.
@Suite struct PackedMatrixTests {
  private struct Case {
    let x: Tensor<Float>
    let weight: Tensor<Float>
    let bias: Tensor<Float>

    init(rows: Int, inputs: Int, outputs: Int) {
      var generator = SplitMix(state: 5)
      func random(_ shape: [Int]) -> Tensor<Float> {
        Tensor((0..<shape.reduce(1, *)).map { _ in generator.symmetric() }, shape: shape)
      }
      x = random([rows, inputs])
      weight = random([outputs, inputs])
      bias = random([outputs])
    }

    var transposedWeight: Tensor<Float> {
      let (outputs, inputs) = (weight.shape[0], weight.shape[1])
      let result = Tensor<Float>(shape: [inputs, outputs])
      for output in 0..<outputs {
        for k in 0..<inputs { result[k * outputs + output] = weight[output * inputs + k] }
      }
      return result
    }

    func expected(hasBias: Bool) -> [Double] {
      let (outputs, inputs) = (weight.shape[0], weight.shape[1])
      return (0..<x.shape[0] * outputs).map { place in
        let (row, output) = (place / outputs, place % outputs)
        return (0..<inputs).reduce(hasBias ? Double(bias[output]) : 0) {
          $0 + Double(x[row * inputs + $1]) * Double(weight[output * inputs + $1])
        }
      }
    }
  }

  private func product<Scalar: KernelScalar>(
    _ matrix: PackedMatrix<Scalar>, _ x: Tensor<Scalar>, _ bias: Tensor<Scalar>?, outputs: Int
  ) -> [Scalar] {
    // Rows of the target's neighbours, which must stay as they are.
    let target = Tensor<Scalar>(shape: [x.shape[0] + 2, outputs])
    target.fill(77)
    matrix.multiply(x, adding: bias, into: target.rows(1..<x.shape[0] + 1))
    #expect(target.row(0).array.allSatisfy { $0 == 77 })
    #expect(target.row(x.shape[0] + 1).array.allSatisfy { $0 == 77 })
    return target.rows(1..<x.shape[0] + 1).array
  }

  static let sizes = [
    [1, 1, 1], [7, 30, 10], [300, 5, 33], [13, 700, 130], [2, 3, 3], [64, 17, 64], [7, 1, 512],
    [64, 512, 17],
  ]

  @Test(arguments: KernelBackend.supported, sizes)
  func isTheProduct(backend: KernelBackend, sizes: [Int]) {
    let (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    let data = Case(rows: rows, inputs: inputs, outputs: outputs)
    for isTransposed in [false, true] {
      let matrix = backend.run {
        PackedMatrix(
          isTransposed ? data.transposedWeight : data.weight, transposed: isTransposed)
      }
      for bias in [data.bias, nil] {
        let y = product(matrix, data.x, bias, outputs: outputs)
        let error = relativeError(y, data.expected(hasBias: bias != nil))
        #expect(error <= 2e-6, "\(sizes) transposed=\(isTransposed)")
        for row in [0, rows - 1, rows / 2] {
          let alone = product(matrix, data.x.rows(row..<row + 1), bias, outputs: outputs)
          let same = alone.bits == Array(y[row * outputs..<(row + 1) * outputs]).bits
          #expect(same, "row \(row) of \(sizes) transposed=\(isTransposed)")
        }
      }
    }
  }

  /// y += x Wᵀ, as one chain that starts from y.
  @Test(arguments: KernelBackend.supported, sizes)
  func addsToWhatIsThere(backend: KernelBackend, sizes: [Int]) {
    let (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    let data = Case(rows: rows, inputs: inputs, outputs: outputs)
    let matrix = backend.run { PackedMatrix(data.weight) }
    let target = Tensor<Float>(shape: [rows + 1, outputs])
    for row in 0..<rows { target.row(row).copy(from: data.bias) }
    target.row(rows).fill(77)
    matrix.multiply(data.x, addingTo: target.rows(0..<rows))
    #expect(target.row(rows).array.allSatisfy { $0 == 77 })
    let y = target.rows(0..<rows).array
    // A bias starts the sums too.
    #expect(y.bits == product(matrix, data.x, data.bias, outputs: outputs).bits, "\(sizes)")
  }

  @Test(arguments: sizes) func isTheProductInDouble(sizes: [Int]) {
    let data = Case(rows: sizes[0], inputs: sizes[1], outputs: sizes[2])
    func double(_ tensor: Tensor<Float>) -> Tensor<Double> {
      Tensor(tensor.array.map(Double.init), shape: tensor.shape)
    }
    for (weight, isTransposed) in [(data.weight, false), (data.transposedWeight, true)] {
      let y = product(
        PackedMatrix(double(weight), transposed: isTransposed), double(data.x),
        double(data.bias), outputs: sizes[2])
      for (a, b) in zip(y, data.expected(hasBias: true)) { #expect(abs(a - b) <= 1e-12) }
    }
  }

  /// The matrix keeps its packed content, and the backend of that moment.
  @Test func packsOnce() {
    let data = Case(rows: 3, inputs: 9, outputs: 5)
    let matrices = KernelBackend.supported.map { backend in
      backend.run { PackedMatrix(data.weight) }
    }
    let expected = data.expected(hasBias: false)
    data.weight.fill(0)
    for matrix in matrices {
      for backend in KernelBackend.supported {
        let y = backend.run { product(matrix, data.x, nil, outputs: 5) }
        #expect(relativeError(y, expected) <= 2e-6)
      }
    }
  }
}
