// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

@Suite struct DepthwiseConvolutionTests {
  static let shapes =
    ImageWindowsTests.shapes + [ImageWindowsTests.Shape(20, 17, 3, 3, 1)]  // two chains

  /// Worked by hand: one filter adds up all that it sees, the other takes the right neighbour away.
  @Test func knownAnswers() {
    let windows = ImageWindows(of: MapShape(height: 2, width: 2, channels: 2), kernel: 3)
    let x = Tensor<Float>([1, 10, 2, 20, 3, 30, 4, 40], shape: [1, 8])
    let ones = [Float](repeating: 1, count: 9)
    let filters = Tensor<Float>(ones + [0, 0, 0, 0, 1, -1, 0, 0, 0], shape: [2, 3, 3])
    let y = convolve(windows, x, filters)
    #expect(y.array == [10, -10, 10, 20, 10, -10, 10, 40])
  }

  /// Where each product of the definition reads and writes: the place of y, of x and of W.
  private func terms(_ shape: ImageWindowsTests.Shape) -> [(y: Int, x: Int, w: Int)] {
    let (C, K, e) = (shape.map.channels, shape.kernel, shape.enlargement)
    func fit(_ extent: Int) -> (count: Int, before: Int) {
      let count = (extent * e + shape.stride - 1) / shape.stride
      return (count, max((count - 1) * shape.stride + K - extent * e, 0) / 2)
    }
    let (rows, columns) = (fit(shape.map.height), fit(shape.map.width))
    var terms: [(y: Int, x: Int, w: Int)] = []
    for y in 0..<rows.count {
      for x in 0..<columns.count {
        for k in 0..<K * K {
          let atY = y * shape.stride - rows.before + k / K
          let atX = x * shape.stride - columns.before + k % K
          guard 0..<shape.map.height * e ~= atY && 0..<shape.map.width * e ~= atX else { continue }
          for c in 0..<C {
            terms.append(
              (
                (y * columns.count + x) * C + c,
                (atY / e * shape.map.width + atX / e) * C + c, c * K * K + k
              ))
          }
        }
      }
    }
    return terms
  }

  /// Whole numbers, which add and multiply without rounding.
  private func numbers<Scalar: KernelScalar>(
    _ shape: [Int], _ factor: Int, as: Scalar.Type = Scalar.self
  ) -> Tensor<Scalar> {
    Tensor((0..<shape.reduce(1, *)).map { Scalar($0 * factor % 23) - 11 }, shape: shape)
  }

  private func padded<Scalar: KernelScalar>(_ windows: ImageWindows) -> PaddedMap<Scalar> {
    let memory = Tensor<Scalar>(shape: [PaddedMap<Scalar>.count(windows)])
    memory.fill(.nan)
    return PaddedMap(windows, in: memory)
  }

  private func arranged<Scalar: KernelScalar>(_ filters: Tensor<Scalar>) -> Tensor<Scalar> {
    let arranged = Tensor<Scalar>(shape: [filters.count])
    PaddedMap.arrange(filters: filters, into: arranged)
    return arranged
  }

  private func convolve<Scalar: KernelScalar>(
    _ windows: ImageWindows, _ x: Tensor<Scalar>, _ filters: Tensor<Scalar>
  ) -> Tensor<Scalar> {
    let y = Tensor<Scalar>(shape: [x.shape[0], windows.places * windows.input.channels])
    let padded: PaddedMap<Scalar> = padded(windows)
    for map in 0..<x.shape[0] {
      padded.load(map, of: x)
      padded.convolveChannels(with: arranged(filters), into: map, of: y)
    }
    return y
  }

  /// Forward, the input's gradient and the filters', as the definition has them.
  private func checkDefinition<Scalar: KernelScalar>(
    _ shape: ImageWindowsTests.Shape, as: Scalar.Type
  ) {
    let (windows, terms) = (shape.windows, terms(shape))
    let (C, K, N) = (shape.map.channels, shape.kernel, 2)
    let x: Tensor<Scalar> = numbers([N, shape.map.count], 37)
    let filters: Tensor<Scalar> = numbers([C, K, K], 53)
    let dy: Tensor<Scalar> = numbers([N, windows.places * C], 29)
    let y = convolve(windows, x, filters)
    let (dx, dW) = (Tensor<Scalar>(shape: x.shape), Tensor<Scalar>(shape: [C, K, K]))
    dx.fill(5)
    dW.fill(7)
    let padded: PaddedMap<Scalar> = padded(windows)
    let sums = Tensor<Scalar>(shape: [windows.length])
    for map in 0..<N {
      padded.loadChannelGradient(map, of: dy, filters: arranged(filters))
      padded.unload(addingTo: map, of: dx)
      padded.load(map, of: x)
      padded.addFilterGradient(map, of: dy, to: dW, sums: sums)
    }
    var expected = (
      y: [Scalar](repeating: 0, count: y.count), dx: [Scalar](repeating: 5, count: x.count),
      dW: [Scalar](repeating: 7, count: dW.count)
    )
    for map in 0..<N {
      let (atX, atY) = (map * shape.map.count, map * windows.places * C)
      for term in terms {
        expected.y[atY + term.y] += filters[term.w] * x[atX + term.x]
        expected.dx[atX + term.x] += filters[term.w] * dy[atY + term.y]
        expected.dW[term.w] += dy[atY + term.y] * x[atX + term.x]
      }
    }
    #expect(y.array == expected.y)
    #expect(dx.array == expected.dx)
    #expect(dW.array == expected.dW)
  }

  @Test(arguments: shapes) func isAsDefined(shape: ImageWindowsTests.Shape) {
    checkDefinition(shape, as: Float.self)
    checkDefinition(shape, as: Double.self)
  }
}
