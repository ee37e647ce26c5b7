// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

@Suite struct ImageWindowsTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let map: MapShape
    let kernel: Int
    let stride: Int
    let enlargement: Int
    var testDescription: String { "\(map) K \(kernel) stride \(stride) enlarged \(enlargement)" }
    var windows: ImageWindows {
      ImageWindows(of: map, kernel: kernel, stride: stride, enlargement: enlargement)
    }

    init(_ Y: Int, _ X: Int, _ C: Int, _ kernel: Int, _ stride: Int, _ enlargement: Int = 1) {
      map = MapShape(height: Y, width: X, channels: C)
      (self.kernel, self.stride, self.enlargement) = (kernel, stride, enlargement)
    }
  }

  static let shapes = [
    Shape(1, 1, 1, 1, 1), Shape(5, 4, 3, 3, 1), Shape(5, 4, 2, 2, 1), Shape(2, 3, 1, 7, 1),
    Shape(7, 5, 2, 3, 2), Shape(8, 6, 1, 5, 3), Shape(4, 4, 2, 1, 2), Shape(3, 2, 2, 3, 1, 2),
    Shape(3, 5, 1, 4, 2, 3),
  ]

  /// TensorFlow's padding `SAME`, one number at a time.
  private func expected(_ shape: Shape, _ maps: [Double]) -> [Double] {
    let (C, K, e) = (shape.map.channels, shape.kernel, shape.enlargement)
    func fit(_ extent: Int) -> (count: Int, before: Int) {
      let count = (extent * e + shape.stride - 1) / shape.stride
      return (count, max((count - 1) * shape.stride + K - extent * e, 0) / 2)
    }
    let (rows, columns) = (fit(shape.map.height), fit(shape.map.width))
    var numbers: [Double] = []
    for map in 0..<maps.count / shape.map.count {
      for y in 0..<rows.count {
        for x in 0..<columns.count {
          for ky in 0..<K {
            for kx in 0..<K {
              for c in 0..<C {
                let atY = y * shape.stride - rows.before + ky
                let atX = x * shape.stride - columns.before + kx
                let isInside =
                  atY >= 0 && atX >= 0 && atY < shape.map.height * e && atX < shape.map.width * e
                let place = isInside ? atY / e * shape.map.width + atX / e : 0
                numbers.append(isInside ? maps[map * shape.map.count + place * C + c] : 0)
              }
            }
          }
        }
      }
    }
    return numbers
  }

  /// The windows of some maps, as the definition has them.
  private func windows(_ shape: Shape, _ x: Tensor<Double>) -> Tensor<Double> {
    let numbers = expected(shape, x.array)
    return Tensor(numbers, shape: [numbers.count / shape.windows.length, shape.windows.length])
  }

  /// Whole numbers, which add and multiply without rounding.
  private func numbers<Scalar: KernelScalar>(
    _ shape: [Int], _ factor: Int, as: Scalar.Type = Scalar.self
  ) -> Tensor<Scalar> {
    Tensor((0..<shape.reduce(1, *)).map { Scalar($0 * factor % 23) - 11 }, shape: shape)
  }

  /// Σ w(x) · v = Σ x · w*(v)
  @Test(arguments: shapes) func scatteringIsTheAdjoint(shape: Shape) {
    let x: Tensor<Double> = numbers([2, shape.map.count], 37)
    let gathered = windows(shape, x)
    let v: Tensor<Double> = numbers(gathered.shape, 53)
    let scattered = Tensor<Double>(shape: x.shape)
    scattered.fill(3)
    shape.windows.scatter(v, of: 0..<v.shape[0], addingTo: scattered)
    let before = 3 * x.array.reduce(0, +)
    #expect(gathered.dot(v) == scattered.dot(x) - before)
  }

  /// y = w(x) Wᵀ + b, y += w(x) Wᵀ and dW += dyᵀ w(x), against windows that lie by themselves.
  private func convolve<Scalar: KernelScalar>(
    _ shape: Shape, channels M: Int, on backend: KernelBackend, as: Scalar.Type
  ) {
    let (windows, N) = (shape.windows, 2)
    let x: Tensor<Scalar> = numbers([N, shape.map.count], 37)
    let weight: Tensor<Scalar> = numbers([M, windows.length], 53)
    let bias: Tensor<Scalar> = numbers([M], 17)
    let dy: Tensor<Scalar> = numbers([N, windows.places * M], 41)
    let (y, dW) = (Tensor<Scalar>(shape: dy.shape), Tensor<Scalar>(shape: weight.shape))
    y.fill(99)
    dW.fill(5)
    backend.run {
      let memory = Tensor<Scalar>(shape: [PaddedMap<Scalar>.count(windows)])
      memory.fill(77)
      let (padded, matrix) = (PaddedMap(windows, in: memory), PackedMatrix(weight))
      for map in 0..<N {
        padded.load(map, of: x)
        padded.multiply(by: matrix, adding: bias, into: map, of: y)
        padded.multiply(by: matrix, addingTo: map, of: y)
        padded.addWeightGradient(map, of: dy, to: dW)
      }
    }
    let w = self.windows(shape, Tensor(x.array.map { Double($0) }, shape: x.shape))
    for place in 0..<N * windows.places {
      for m in 0..<M {
        let product = (0..<windows.length).reduce(0.0) {
          $0 + w[place * windows.length + $1] * Double(weight[m * windows.length + $1])
        }
        #expect(Double(y[place * M + m]) == Double(bias[m]) + 2 * product)
      }
    }
    for m in 0..<M {
      for k in 0..<windows.length {
        let sum = (0..<N * windows.places).reduce(5.0) {
          $0 + Double(dy[$1 * M + m]) * w[$1 * windows.length + k]
        }
        #expect(Double(dW[m * windows.length + k]) == sum)
      }
    }
  }

  @Test(arguments: KernelBackend.supported, [1, 3, 16, 70])
  func convolutionsAreThoseOfTheirWindows(backend: KernelBackend, channels: Int) {
    for shape in Self.shapes {
      convolve(shape, channels: channels, on: backend, as: Float.self)
      convolve(shape, channels: channels, on: backend, as: Double.self)
    }
  }

  /// Maps that are wider than a group of rows, and longer than a chain of a gradient.
  @Test(arguments: KernelBackend.supported) func largeMaps(backend: KernelBackend) {
    convolve(Shape(2, 300, 1, 3, 1), channels: 17, on: backend, as: Float.self)
    convolve(Shape(40, 20, 2, 3, 1), channels: 5, on: backend, as: Float.self)
  }

  /// Σ (w(x) Wᵀ) · dy = Σ x · w'(dy) W'ᵀ, with the adjoint's windows w' and the turned weight W'.
  @Test(arguments: shapes) func theInputGradientIsAConvolution(shape: Shape) throws {
    let (windows, M) = (shape.windows, 3)
    guard let adjoint = windows.adjoint(channels: M) else {
      #expect(shape.stride > 1 || shape.enlargement > 1)
      return
    }
    let x: Tensor<Double> = numbers([1, shape.map.count], 37)
    let weight: Tensor<Double> = numbers([M, windows.length], 53)
    let dy: Tensor<Double> = numbers([1, windows.places * M], 41)
    func product(
      _ windows: ImageWindows, _ maps: Tensor<Double>, _ weight: Tensor<Double>, count: Int
    ) -> Tensor<Double> {
      let memory = Tensor<Double>(shape: [PaddedMap<Double>.count(windows)])
      let padded = PaddedMap(windows, in: memory)
      padded.load(0, of: maps)
      let y = Tensor<Double>(shape: [1, count])
      padded.multiply(by: PackedMatrix(weight), adding: nil, into: 0, of: y)
      return y
    }
    let y = product(windows, x, weight, count: dy.count)
    let dx = product(adjoint, dy, windows.turned(weight), count: x.count)
    #expect(y.dot(dy) == x.dot(dx))
  }
}
