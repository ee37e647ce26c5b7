// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors
import Testing

/// y = n · gain + shift, and its adjoint.
@Suite struct LayerNormalizationTests {
  /// The results of forward and backward. Each is [rows, D], except the deviation.
  private struct Result<Scalar: KernelScalar> {
    var tensors: [(name: String, values: Tensor<Scalar>)]
  }

  private func numbers<Scalar: KernelScalar>(
    _ rows: Int, _ D: Int
  ) -> (z: Tensor<Scalar>, gain: Tensor<Scalar>, shift: Tensor<Scalar>, dy: Tensor<Scalar>) {
    // Away from zero, so that a wrong mean shows.
    let z: Tensor<Scalar> = PrimitiveSizes.random(rows, D, seed: 1, scale: 2)
    for index in 0..<z.count { z[index] += 3 }
    return (
      z, PrimitiveSizes.random(1, D, seed: 2).reshaped([D]),
      PrimitiveSizes.random(1, D, seed: 3).reshaped([D]),
      PrimitiveSizes.random(rows, D, seed: 4)
    )
  }

  private func run<Scalar: KernelScalar>(
    _ z: Tensor<Scalar>, _ gain: Tensor<Scalar>, _ shift: Tensor<Scalar>, _ dy: Tensor<Scalar>
  ) -> Result<Scalar> {
    let (rows, D) = (z.shape[0], z.shape[1])
    // Columns among others, with guards on both sides.
    let memory = Tensor<Scalar>(shape: [rows, 5 * (D + 2) + 1])
    memory.fill(77)
    func block(_ index: Int) -> ColumnBlock<Scalar> { ColumnBlock(memory, at: index * (D + 2) + 1) }
    func values(_ index: Int) -> Tensor<Scalar> {
      let result = Tensor<Scalar>(shape: [rows, D])
      for row in 0..<rows {
        let start = row * memory.shape[1] + index * (D + 2) + 1
        #expect(memory[start - 1] == 77 && memory[start + D] == 77)
        for j in 0..<D { result[row * D + j] = memory[start + j] }
      }
      return result
    }
    let inverse = Tensor<Scalar>(shape: [rows, 1])
    LayerNormalization.forward(
      ColumnBlock(z), gain: gain, shift: shift, into: block(0), normalised: block(1),
      inverseDeviation: ColumnBlock(inverse))
    LayerNormalization.backward(
      ColumnBlock(dy), normalised: block(1), inverseDeviation: ColumnBlock(inverse), gain: gain,
      into: block(2), dGain: block(3), dShift: block(4))
    let names = ["y", "n", "dz", "dGain", "dShift"]
    return Result(
      tensors: names.enumerated().map { ($1, values($0)) } + [("1/std", inverse)])
  }

  @Test(arguments: PrimitiveSizes.all) func everyBackendDoesWhatDoubleDoes(sizes: [Int]) {
    let (rows, D) = (sizes[0], sizes[1])
    let exact: (z: Tensor<Double>, gain: Tensor<Double>, shift: Tensor<Double>, dy: Tensor<Double>)
    exact = numbers(rows, D)
    let expected = run(exact.z, exact.gain, exact.shift, exact.dy)
    let (z, gain, shift, dy): (Tensor<Float>, Tensor<Float>, Tensor<Float>, Tensor<Float>)
    (z, gain, shift, dy) = numbers(rows, D)
    for backend in KernelBackend.supported {
      let all = backend.run { run(z, gain, shift, dy) }
      for (computed, expected) in zip(all.tensors, expected.tensors) {
        // Of a single column n and dz are zero, and what stands there is rounding.
        let isZero = D == 1 && ["n", "dz"].contains(computed.name)
        let error =
          isZero
          ? computed.values.array.reduce(0.0) { max($0, Double($1.magnitude)) }
          : relativeError(computed.values.array, expected.values.array)
        #expect(error <= 2e-5, "\(backend) \(computed.name) of \(sizes)")
      }
      for row in [0, rows - 1, rows / 2] {
        let range = row..<row + 1
        let alone = backend.run { run(z.rows(range), gain, shift, dy.rows(range)) }
        for (alone, all) in zip(alone.tensors, all.tensors) {
          let same = alone.values.array.bits == all.values.rows(range).array.bits
          #expect(same, "\(backend) \(alone.name) row \(row) of \(sizes)")
        }
      }
    }
  }

  /// The output of forward has mean 0 and variance 1, and is added to the accumulators.
  @Test func isNormalisedAndAdds() {
    let (z, gain, shift, dy): (Tensor<Double>, Tensor<Double>, Tensor<Double>, Tensor<Double>)
    (z, gain, shift, dy) = numbers(7, 33)
    let result = run(z, gain, shift, dy)
    for row in 0..<7 {
      let n = result.tensors[1].values.row(row).array
      #expect(abs(n.reduce(0, +)) <= 1e-12)
      #expect(abs(inner(n, n) / 33 - 1) <= 1e-4)
      for j in 0..<33 {
        let gradient = dy[row * 33 + j]
        #expect(abs(result.tensors[3].values[row * 33 + j] - 77 - gradient * n[j]) <= 1e-12)
        #expect(abs(result.tensors[4].values[row * 33 + j] - 77 - gradient) <= 1e-12)
      }
    }
  }

  /// Gains and shifts of groups of rows are sums of what the rows have by themselves, and a norm
  /// adds to what is there.
  @Test(arguments: KernelBackend.supported, PrimitiveSizes.all)
  func sumsOverGroupsAndAdds(backend: KernelBackend, sizes: [Int]) {
    let (rows, D) = (sizes[0], sizes[1])
    let (z, gain, shift, dy): (Tensor<Float>, Tensor<Float>, Tensor<Float>, Tensor<Float>)
    (z, gain, shift, dy) = numbers(rows, D)
    // A group of no rows too.
    let starts = [0, rows / 3, rows / 3, rows]
    func zeros(_ rows: Int) -> Tensor<Float> { Tensor(shape: [rows, D]) }
    let (y, n, added) = (zeros(rows), zeros(rows), dy.copy())
    let inverse = Tensor<Float>(shape: [rows, 1])
    let (dz, own, grouped) = (zeros(rows), [zeros(rows), zeros(rows)], [zeros(3), zeros(3)])
    backend.run {
      for target in [y, added] {
        LayerNormalization.forward(
          ColumnBlock(z), gain: gain, shift: shift, into: ColumnBlock(target),
          isAdding: target.pointer == added.pointer, normalised: ColumnBlock(n),
          inverseDeviation: ColumnBlock(inverse))
      }
      for (sums, groupStarts) in [(own, nil), (grouped, starts)] {
        LayerNormalization.backward(
          ColumnBlock(dy), normalised: ColumnBlock(n), inverseDeviation: ColumnBlock(inverse),
          gain: gain, into: ColumnBlock(dz), dGain: ColumnBlock(sums[0]),
          dShift: ColumnBlock(sums[1]), groupStarts: groupStarts)
      }
    }
    for place in 0..<rows * D { #expect(abs(added[place] - dy[place] - y[place]) <= 1e-5) }
    for (own, grouped) in zip(own, grouped) {
      for group in 0..<3 {
        for j in 0..<D {
          let sum = (starts[group]..<starts[group + 1]).reduce(Float(0)) { $0 + own[$1 * D + j] }
          #expect(abs(grouped[group * D + j] - sum) <= 1e-4, "\(backend) \(sizes)")
        }
      }
    }
  }

  /// Past the caches goes the same, whether or not rows are made of whole vectors.
  @Test(arguments: KernelBackend.supported, [1, 33, 64])
  func streamsTheSame(backend: KernelBackend, D: Int) {
    let (z, gain, shift, _): (Tensor<Float>, Tensor<Float>, Tensor<Float>, Tensor<Float>)
    (z, gain, shift, _) = numbers(5, D)
    let kept = [false, true].map { isStreaming in
      let n = Tensor<Float>(shape: [6, D])
      n.fill(77)
      let (y, inverse) = (Tensor<Float>(shape: [5, D]), Tensor<Float>(shape: [5, 1]))
      backend.run {
        LayerNormalization.forward(
          ColumnBlock(z), gain: gain, shift: shift, into: ColumnBlock(y),
          normalised: ColumnBlock(n.rows(0..<5)), inverseDeviation: ColumnBlock(inverse),
          isStreaming: isStreaming)
      }
      return n.array
    }
    #expect(kept[0].bits == kept[1].bits && kept[1].suffix(D).allSatisfy { $0 == 77 })
  }

  @Test(arguments: PrimitiveSizes.all) func centralDifferences(sizes: [Int]) {
    let (rows, D) = (sizes[0], sizes[1])
    let (z, gain, shift, dy): (Tensor<Double>, Tensor<Double>, Tensor<Double>, Tensor<Double>)
    (z, gain, shift, dy) = numbers(rows, D)
    let dz = run(z, gain, shift, dy).tensors[2].values
    let step = 1e-5
    // Rows do not mix, so the same column of all of them moves at once.
    for j in 0..<D {
      func moved(by change: Double) -> [Double] {
        let moved = z.copy()
        for row in 0..<rows { moved[row * D + j] += change }
        let y = run(moved, gain, shift, dy).tensors[0].values
        return (0..<rows).map { inner(y.row($0).array, dy.row($0).array) }
      }
      let (up, down) = (moved(by: step), moved(by: -step))
      for row in 0..<rows {
        let slope = (up[row] - down[row]) / (2 * step)
        #expect(abs(slope - dz[row * D + j]) <= 1e-7, "column \(j) of row \(row)")
      }
    }
  }

  /// The results may overwrite the arguments.
  @Test func inPlace() {
    let (z, gain, shift, dy): (Tensor<Float>, Tensor<Float>, Tensor<Float>, Tensor<Float>)
    (z, gain, shift, dy) = numbers(5, 37)
    for backend in KernelBackend.supported {
      backend.run {
        let expected = run(z, gain, shift, dy)
        let (here, dHere) = (z.copy(), dy.copy())
        let (y, dz) = (ColumnBlock(here), ColumnBlock(dHere))
        let normalised = ColumnBlock(Tensor<Float>(shape: [5, 37]))
        let inverse = ColumnBlock(Tensor<Float>(shape: [5, 1]))
        let (dGain, dShift) = (Tensor<Float>(shape: [5, 37]), Tensor<Float>(shape: [5, 37]))
        LayerNormalization.forward(
          y, gain: gain, shift: shift, into: y, normalised: normalised, inverseDeviation: inverse)
        LayerNormalization.backward(
          dz, normalised: normalised, inverseDeviation: inverse, gain: gain, into: dz,
          dGain: ColumnBlock(dGain), dShift: ColumnBlock(dShift))
        for (tensor, index) in [(here, 0), (dHere, 2)] {
          let same = tensor.array.bits == expected.tensors[index].values.array.bits
          #expect(same, "\(backend) \(expected.tensors[index].name)")
        }
      }
    }
  }
}
