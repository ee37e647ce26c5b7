import Kernels
import RandomNumbers
import Tensors

/// Starting values of weights.
public enum Initialization {
  /// A matrix with orthonormal columns (rows, if it is wider than high), as PyTorch's
  /// `orthogonal_`: the Q of a normal random matrix's QR with R's diagonal positive (Saxe et al.,
  /// 2014).
  public static func orthogonal<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, stream: inout RandomStream
  ) {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    let isWide = rows < columns
    let (length, vectors) = isWide ? (columns, rows) : (rows, columns)
    var basis: [[Double]] = []
    for _ in 0..<vectors {
      var vector = (0..<length).map { _ in stream.normal() }
      // Gram and Schmidt, twice: once more is enough to reach machine precision.
      for _ in 0..<2 {
        for other in basis {
          let projection = zip(vector, other).reduce(0) { $0 + $1.0 * $1.1 }
          for index in vector.indices { vector[index] -= projection * other[index] }
        }
      }
      let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
      basis.append(vector.map { $0 / norm })
    }
    weight.withMutableSpan { weight in
      for row in 0..<rows {
        for column in 0..<columns {
          weight[row * columns + column] = Scalar(
            isWide ? basis[row][column] : basis[column][row])
        }
      }
    }
  }

  /// Ones on the main diagonal, zeros elsewhere, whatever the shape (PyTorch's `eye_`).
  public static func identity<Scalar: KernelScalar>(_ weight: Tensor<Scalar>) {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    weight.fill(0)
    for index in 0..<min(rows, columns) { weight[index * columns + index] = 1 }
  }

  /// Uniform in ±bound, the default of PyTorch's Linear with bound = 1/√fan_in.
  public static func uniform<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, bound: Double, stream: inout RandomStream
  ) {
    weight.withMutableSpan { weight in
      for index in weight.indices {
        weight[index] = Scalar(stream.uniform(in: -bound..<bound))
      }
    }
  }

  /// Normal with mean 0.
  public static func normal<Scalar: KernelScalar>(
    _ weight: Tensor<Scalar>, deviation: Double, stream: inout RandomStream
  ) {
    weight.withMutableSpan { weight in
      for index in weight.indices { weight[index] = Scalar(deviation * stream.normal()) }
    }
  }
}
