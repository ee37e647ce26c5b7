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

  @Test(arguments: shapes) func windowsAreThoseOfTheDefinition(shape: Shape) {
    let windows = shape.windows
    let numbers = (1...3 * shape.map.count).map(Double.init)
    let maps = Tensor(numbers, shape: [3, shape.map.count])
    let all = 3 * windows.places
    let whole = Tensor<Double>(shape: [all, windows.length])
    whole.fill(-7)
    windows.gather(0..<all, of: maps, into: whole)
    #expect(whole.array == expected(shape, numbers))
    // Some of them are the same ones, over the border between two maps.
    let some = max(windows.places - 2, 0)..<min(windows.places + 3, all)
    let part = Tensor<Double>(shape: [some.count, windows.length])
    windows.gather(some, of: maps, into: part)
    #expect(part.array == whole.rows(some).array)
  }

  /// Σ w(x) · v = Σ x · w*(v), on whole numbers, which add without rounding.
  @Test(arguments: shapes) func scatteringIsTheAdjoint(shape: Shape) {
    let windows = shape.windows
    let all = 2 * windows.places
    let x = Tensor((0..<2 * shape.map.count).map { Double($0 * 37 % 101) })
      .reshaped([2, shape.map.count])
    let v = Tensor((0..<all * windows.length).map { Double($0 * 53 % 89) - 40 })
      .reshaped([all, windows.length])
    let gathered = Tensor<Double>(shape: v.shape)
    windows.gather(0..<all, of: x, into: gathered)
    let scattered = Tensor<Double>(shape: x.shape)
    scattered.fill(3)
    windows.scatter(v, of: 0..<all, addingTo: scattered)
    let before = 3 * x.array.reduce(0, +)
    #expect(gathered.dot(v) == scattered.dot(x) - before)
  }
}
