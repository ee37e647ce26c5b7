// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

@Suite struct GroupNormalizationTests {
  /// The output of a norm, and the input of its adjoint.
  private struct Result<Scalar: KernelScalar> {
    let y: Tensor<Scalar>
    let normalised: Tensor<Scalar>
    let inverseDeviation: Tensor<Scalar>
  }

  private func norm(_ Y: Int, _ X: Int, _ C: Int, _ groups: Int) -> GroupNormalization {
    GroupNormalization(MapShape(height: Y, width: X, channels: C), groups: groups)
  }

  private func forward<Scalar: KernelScalar>(
    _ norm: GroupNormalization, _ z: Tensor<Scalar>, _ gain: Tensor<Scalar>,
    _ shift: Tensor<Scalar>
  ) -> Result<Scalar> {
    let result = Result<Scalar>(
      y: z.copy(), normalised: Tensor(shape: z.shape),
      inverseDeviation: Tensor(shape: [z.shape[0], norm.groups]))
    norm.forward(
      result.y, gain: gain, shift: shift, into: result.y, normalised: result.normalised,
      inverseDeviation: result.inverseDeviation)
    return result
  }

  /// Numbers without a pattern between neighbours.
  private func numbers<Scalar: KernelScalar>(_ shape: [Int], _ factor: Int) -> Tensor<Scalar> {
    Tensor(
      (0..<shape.reduce(1, *)).map { Scalar(($0 + 3) * factor % 101) / 50 - 1 }, shape: shape)
  }

  /// Worked by hand: one group has mean 4 and variance 5, two have 3 and 5, and variance 4.
  @Test func knownAnswers() {
    let z = Tensor<Float>([1, 3, 5, 7], shape: [1, 4])
    let (gain, shift) = (Tensor<Float>([2, 3]), Tensor<Float>([1, -1]))
    let layer = forward(norm(1, 2, 2, 1), z, gain, shift).y.array
    let five = Float(5.00001).squareRoot()
    for (number, expected) in zip(
      layer, [-6 / five + 1, -3 / five - 1, 2 / five + 1, 9 / five - 1])
    {
      #expect(abs(number - expected) < 1e-6)
    }
    let group = forward(norm(2, 1, 2, 2), z, gain, shift)
    let two = Float(4.00001).squareRoot()
    for (number, expected) in zip(
      group.y.array, [-4 / two + 1, -6 / two - 1, 4 / two + 1, 6 / two - 1])
    {
      #expect(abs(number - expected) < 1e-6)
    }
    #expect(group.inverseDeviation.array.allSatisfy { abs($0 - 1 / two) < 1e-7 })
  }

  /// A large mean does not cost the variance digits, and a large map does not cost the mean digits.
  @Test func largeMapsFarFromZero() {
    let norm = norm(90, 70, 4, 2)
    let z = Tensor<Float>(
      (0..<norm.map.count).map { 3000 + Float($0 * 7 % 11) - 5 }, shape: [1, norm.map.count])
    let gain = Tensor<Float>([1, 1, 1, 1])
    let shift = Tensor<Float>([0, 0, 0, 0])
    let y = forward(norm, z, gain, shift).y
    for group in 0..<2 {
      let own = (0..<z.count).filter { $0 % 4 / 2 == group }
      let mean = own.reduce(0) { $0 + Double(z[$1]) } / Double(own.count)
      let variance =
        own.reduce(0) { $0 + (Double(z[$1]) - mean) * (Double(z[$1]) - mean) } / Double(own.count)
      let factor = 1 / (variance + 1e-5).squareRoot()
      let errors = own.map { abs(Double(y[$0]) - (Double(z[$0]) - mean) * factor) }
      #expect(errors.max()! < 2e-4)
    }
  }

  @Test(arguments: [[2, 3, 4, 1], [2, 3, 4, 2], [3, 2, 3, 3], [9, 8, 2, 1]])
  func centralDifferences(sizes: [Int]) {
    let norm = norm(sizes[0], sizes[1], sizes[2], sizes[3])
    let C = norm.map.channels
    let z: Tensor<Double> = numbers([3, norm.map.count], 37)
    let gain: Tensor<Double> = numbers([C], 53)
    let shift: Tensor<Double> = numbers([C], 29)
    let dy: Tensor<Double> = numbers(z.shape, 61)
    let result = forward(norm, z, gain, shift)
    // Two shards, one of them of two maps.
    let (dGain, dShift) = (Tensor<Double>(shape: [2, C]), Tensor<Double>(shape: [2, C]))
    dGain.fill(1)
    dShift.fill(2)
    let dz = dy.copy()
    norm.backward(
      dz, normalised: result.normalised, inverseDeviation: result.inverseDeviation, gain: gain,
      into: dz, dGain: dGain, dShift: dShift, shardStarts: [0, 1, 3])
    func slope(_ numbers: Tensor<Double>, _ index: Int, maps: Range<Int>) -> Double {
      func value(_ change: Double) -> Double {
        let before = numbers[index]
        numbers[index] += change
        defer { numbers[index] = before }
        return forward(norm, z, gain, shift).y.rows(maps).dot(dy.rows(maps))
      }
      return (value(1e-5) - value(-1e-5)) / 2e-5
    }
    for index in 0..<z.count {
      #expect(abs(slope(z, index, maps: 0..<3) - dz[index]) < 1e-7, "z \(index)")
    }
    for (shard, maps) in [0..<1, 1..<3].enumerated() {
      for c in 0..<C {
        #expect(abs(slope(gain, c, maps: maps) + 1 - dGain[shard * C + c]) < 1e-7)
        #expect(abs(slope(shift, c, maps: maps) + 2 - dShift[shard * C + c]) < 1e-7)
      }
    }
  }

  /// A single map has the same bits as among others, forward and backward.
  @Test func mapsAreIndependent() {
    let norm = norm(5, 4, 6, 3)
    let z: Tensor<Float> = numbers([3, norm.map.count], 37)
    let gain: Tensor<Float> = numbers([6], 53)
    let shift: Tensor<Float> = numbers([6], 29)
    let dy: Tensor<Float> = numbers(z.shape, 61)
    func run(_ maps: Range<Int>) -> (y: [Float], dz: [Float], dGain: [Float]) {
      let result = forward(norm, z.rows(maps), gain, shift)
      let dz = Tensor<Float>(shape: result.y.shape)
      let dGain = Tensor<Float>(shape: [maps.count, 6])
      let dShift = Tensor<Float>(shape: [maps.count, 6])
      dGain.fill(0)
      dShift.fill(0)
      norm.backward(
        dy.rows(maps), normalised: result.normalised, inverseDeviation: result.inverseDeviation,
        gain: gain, into: dz, dGain: dGain, dShift: dShift, shardStarts: Array(0...maps.count))
      return (result.y.array, dz.array, dGain.array)
    }
    let together = run(0..<3)
    let alone = (0..<3).map { run($0..<$0 + 1) }
    #expect(together.y == alone.flatMap(\.y))
    #expect(together.dz == alone.flatMap(\.dz))
    #expect(together.dGain == alone.flatMap(\.dGain))
  }
}
