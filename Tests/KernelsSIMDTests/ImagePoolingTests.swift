// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

@Suite struct ImagePoolingTests {
  private func pooling(
    _ kind: ImagePooling.Kind, _ Y: Int, _ X: Int, _ C: Int, kernel: Int, stride: Int
  ) -> ImagePooling {
    ImagePooling(
      kind,
      ImageWindows(
        of: MapShape(height: Y, width: X, channels: C), kernel: kernel, stride: stride))
  }

  /// Worked by hand: windows of 2 at stride 2 on 3 x 3, where the last ones see the edge.
  @Test func knownAnswers() {
    let x = Tensor<Float>([1, 2, 3, 4, -5, 6, 7, 8, -9], shape: [1, 9])
    let y = Tensor<Float>(shape: [1, 4])
    pooling(.max, 3, 3, 1, kernel: 2, stride: 2).forward(x, into: y)
    #expect(y.array == [4, 6, 8, -9])
    pooling(.mean, 3, 3, 1, kernel: 2, stride: 2).forward(x, into: y)
    #expect(y.array == [0.5, 4.5, 7.5, -9])
    let all = Tensor<Float>(shape: [1, 1])
    pooling(.mean, 3, 3, 1, kernel: 3, stride: 3).forward(x, into: all)
    #expect(abs(all[0] - 17.0 / 9) < 1e-6)
  }

  /// A gradient goes to the first of equal numbers alone.
  @Test func equalNumbers() {
    let pooling = pooling(.max, 1, 2, 1, kernel: 2, stride: 2)
    let (x, y) = (Tensor<Float>([3, 3], shape: [1, 2]), Tensor<Float>(shape: [1, 1]))
    pooling.forward(x, into: y)
    let dx = Tensor<Float>(shape: [1, 2])
    dx.fill(0)
    pooling.backward(Tensor([5], shape: [1, 1]), x: x, y: y, addingTo: dx)
    #expect(dx.array == [5, 0])
  }

  @Test(
    arguments: ImagePooling.Kind.allCases, [[4, 4, 2, 2, 2], [5, 3, 3, 3, 2], [3, 4, 1, 3, 1]])
  func centralDifferences(kind: ImagePooling.Kind, sizes: [Int]) {
    let pooling = pooling(
      kind, sizes[0], sizes[1], sizes[2], kernel: sizes[3], stride: sizes[4])
    let count = 2 * pooling.windows.input.count
    // All different, so that no window changes its mind within a step.
    let x = Tensor((0..<count).map { Double($0 * 7 % count) / 10 }).reshaped([2, count / 2])
    let y = Tensor<Double>(shape: [2, pooling.output.count])
    let dy = Tensor((0..<y.count).map { Double($0 % 5) - 1.7 }).reshaped(y.shape)
    pooling.forward(x, into: y)
    let dx = Tensor<Double>(shape: x.shape)
    dx.fill(1)
    pooling.backward(dy, x: x, y: y, addingTo: dx)
    for index in 0..<count {
      func value(_ change: Double) -> Double {
        let moved = x.copy()
        moved[index] += change
        pooling.forward(moved, into: y)
        return y.dot(dy)
      }
      let slope = (value(1e-4) - value(-1e-4)) / 2e-4
      #expect(abs(slope + 1 - dx[index]) < 1e-8, "number \(index)")
    }
  }
}
