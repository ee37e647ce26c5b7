// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Log-magnitude short-time spectra of sound at 8 kHz, as the paper's speech task uses them.
///
///     S_k(f) = Σ_n w_n x_{128 f + n} exp(-2πi k n / 256),   n = 0 ... 255, k = 0 ... 128
///     w_n = (1 - cos(2π n / 256)) / 2                       (Hann, periodic)
///     feature_k(f) = log(|S_k(f)| + 10⁻³)
///
/// Samples are in -1 ... 1. There is a frame wherever a whole window fits, so L samples give F = 1
/// + (L - 256) / 128 frames, rounded down.
public struct Spectrogram: Sendable {
  /// Samples per second.
  public static let sampleRate = 8000.0
  /// The samples of a window.
  public static let window = 256
  /// The samples from one window to the next.
  public static let hop = 128
  /// The magnitudes of a frame.
  public static let bins = window / 2 + 1
  /// The constant added to the magnitude, so that silence has a logarithm.
  public static let floor = 1e-3

  private let hann: [Double]
  private let transform = FourierTransform(count: Spectrogram.window)

  public init() {
    hann = (0..<Self.window).map { n in
      (1 - cos(2 * .pi * Double(n) / Double(Self.window))) / 2
    }
  }

  /// F, the number of frames of this many samples.
  public static func frameCount(samples: Int) -> Int {
    samples < window ? 0 : 1 + (samples - window) / hop
  }

  /// The features [F, 129] of a sound, row after row.
  public func features(of samples: [Float]) -> [Float] {
    var features: [Float] = []
    let frames = Self.frameCount(samples: samples.count)
    features.reserveCapacity(frames * Self.bins)
    for frame in 0..<frames {
      for magnitude in magnitudes(of: samples, from: frame * Self.hop) {
        features.append(Float(log(magnitude + Self.floor)))
      }
    }
    return features
  }

  /// |S_k|, k = 0 ... 128, of the 256 samples from `start` on.
  public func magnitudes(of samples: [Float], from start: Int) -> [Double] {
    var real = (0..<Self.window).map { hann[$0] * Double(samples[start + $0]) }
    var imaginary = [Double](repeating: 0, count: Self.window)
    transform.apply(&real, &imaginary)
    return (0..<Self.bins).map { k in
      (real[k] * real[k] + imaginary[k] * imaginary[k]).squareRoot()
    }
  }
}

/// The discrete Fourier transform of 2^m complex numbers, by halving (Cooley and Tukey, 1965).
///
///     X_k = Σ_n x_n W^{kn},  W = exp(-2πi / N)
///     X_k       = E_k + W^k O_k      E: the transform of the numbers at even places
///     X_{k+N/2} = E_k - W^k O_k      O: of those at odd places
private struct FourierTransform: Sendable {
  private let count: Int
  private let twiddles: [(real: Double, imaginary: Double)]  // W^k, k < N/2
  private let reversed: [Int]  // the bits of each index in reverse order

  init(count: Int) {
    precondition(count.nonzeroBitCount == 1, "\(count) is not a power of two")
    self.count = count
    twiddles = (0..<count / 2).map { k in
      let angle = -2 * Double.pi * Double(k) / Double(count)
      return (cos(angle), sin(angle))
    }
    let bits = count.trailingZeroBitCount
    reversed = (0..<count).map { index in
      (0..<bits).reduce(0) { $0 << 1 | index >> $1 & 1 }
    }
  }

  func apply(_ real: inout [Double], _ imaginary: inout [Double]) {
    for (index, other) in reversed.enumerated() where index < other {
      real.swapAt(index, other)
      imaginary.swapAt(index, other)
    }
    var half = 1
    while half < count {
      for block in stride(from: 0, to: count, by: 2 * half) {
        for k in 0..<half {
          let (even, odd) = (block + k, block + k + half)
          let w = twiddles[k * (count / (2 * half))]
          let productReal = w.real * real[odd] - w.imaginary * imaginary[odd]
          let productImaginary = w.real * imaginary[odd] + w.imaginary * real[odd]
          (real[odd], imaginary[odd]) = (
            real[even] - productReal, imaginary[even] - productImaginary
          )
          (real[even], imaginary[even]) = (
            real[even] + productReal, imaginary[even] + productImaginary
          )
        }
      }
      half *= 2
    }
  }
}
