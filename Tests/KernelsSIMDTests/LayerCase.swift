// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// One layer with random weights, inputs, states and gradients, to be run by several kernels.
struct LayerCase {
  var geometry: LayerGeometry
  /// Rows of each shard.
  var shardRows: [Int]
  var hasBiases = true
  /// Whether states and gradients at both ends are given, rather than nil.
  var hasStates = true
  var hasOutputGradient = true
  var wantsInputGradient = true
  /// Whether all memory begins at a cache line, as kernels need it to bypass the caches.
  var isAligned = true
  var seed: UInt64 = 1

  /// The results of one run.
  struct Result<Scalar> {
    var tensors: [(name: String, values: [Scalar])]

    subscript(name: String) -> [Scalar] { tensors.first { $0.name == name }!.values }
  }

  /// The random numbers of the case, the same for every scalar.
  struct Numbers {
    var values: [String: [Float]] = [:]
  }

  func numbers() -> Numbers {
    let shape = geometry
    let (T, N, C, H) = (shape.steps, shape.rows, shape.inputs, shape.hidden)
    let GH = shape.gateWidth
    var generator = SplitMix(state: seed)
    func random(_ count: Int, _ scale: Float) -> [Float] {
      (0..<count).map { _ in generator.symmetric() * scale }
    }
    var result = Numbers()
    result.values["W_ih"] = random(GH * C, 1 / Float(C).squareRoot())
    result.values["W_hh"] = random(GH * H, 1.5 / Float(H).squareRoot())
    result.values["b_ih"] = random(GH, 0.5)
    result.values["b_hh"] = random(GH, 0.5)
    result.values["b"] = random(H, 0.1)
    result.values["x"] = random(T * N * C, 1)
    result.values["dy"] = random(T * N * H, 1)
    for end in ["0", "T"] {
      result.values["h\(end)"] = random(N * H, 1)
      result.values["c\(end)"] = random(N * H, 1)
      result.values["v\(end)"] = random(N * GH, 1)
      // A second moment is positive.
      result.values["q\(end)"] = random(N * GH, 1).map { $0.magnitude + 0.1 }
    }
    return result
  }

  /// Runs forward and backward.
  func run<Scalar: BinaryFloatingPoint & Sendable>(
    _ numbers: Numbers, with kernels: (some LayerKernels<Scalar>).Type
  ) -> Result<Scalar> {
    let shape = geometry
    let (T, N, C, H) = (shape.steps, shape.rows, shape.inputs, shape.hidden)
    let GH = shape.gateWidth
    let pool = Pool<Scalar>(offset: isAligned ? 0 : 1)
    func input(_ name: String, _ wanted: Bool = true) -> UnsafePointer<Scalar>? {
      guard wanted else { return nil }
      return UnsafePointer(pool.fill(numbers.values[name]!.map { Scalar($0) }))
    }
    func output(_ count: Int, _ wanted: Bool = true) -> UnsafeMutablePointer<Scalar>? {
      // Not zero, so that a number that is never written shows.
      wanted ? pool.fill([Scalar](repeating: 77, count: count)) : nil
    }
    let (hasVelocity, hasMoment) = (shape.drive.hasVelocity, shape.drive.hasSecondMoment)
    let weights = RecurrentWeights<Scalar>(
      input: input("W_ih")!, recurrent: input("W_hh")!, inputBias: input("b_ih", hasBiases),
      recurrentBias: input("b_hh", hasBiases),
      unitBias: input("b", hasBiases && shape.body.hasUnitBias))
    func states(_ end: String) -> StatePointers<Scalar> {
      StatePointers(
        hidden: input("h\(end)", hasStates),
        cell: input("c\(end)", hasStates && shape.body.hasCell),
        velocity: input("v\(end)", hasStates && hasVelocity),
        // From q = 0 on, the derivative of Adam's quotient is too ill-conditioned for Float.
        secondMoment: input("q\(end)", hasMoment))
    }
    func mutableStates() -> MutableStatePointers<Scalar> {
      MutableStatePointers(
        hidden: output(N * H), cell: output(N * H, shape.body.hasCell),
        velocity: output(N * GH, hasVelocity), secondMoment: output(N * GH, hasMoment))
    }
    let (x, y, initial, final) = (input("x")!, output(T * N * H)!, states("0"), mutableStates())
    let saved = output(kernels.savedCount(shape))!
    kernels.forward(
      ForwardCall(
        geometry: shape, weights: weights, x: x, initial: initial, y: y, final: final,
        saved: saved))

    let stride = GH * (C + H + 2) + H
    let shards = shardRows.count
    // Kernels add to the existing values.
    let gradients = pool.fill([Scalar](repeating: 0.25, count: shards * stride))
    var starts = [0]
    for rows in shardRows { starts.append(starts.last! + rows) }
    let (dx, dInitial) = (output(T * N * C, wantsInputGradient), mutableStates())
    starts.withUnsafeBufferPointer { starts in
      kernels.backward(
        BackwardCall(
          geometry: shape, weights: weights, x: x, initial: initial, y: UnsafePointer(y),
          saved: UnsafePointer(saved), dy: input("dy", hasOutputGradient),
          finalGradient: states("T"),
          gradients: ShardGradients(
            shards: shards, rowStarts: starts.baseAddress!, stride: stride, input: gradients,
            recurrent: gradients + GH * C, inputBias: gradients + GH * (C + H),
            recurrentBias: gradients + GH * (C + H + 1),
            unitBias: shape.body.hasUnitBias ? gradients + GH * (C + H + 2) : nil),
          dx: dx, initialGradient: dInitial))
    }

    var result = Result<Scalar>(tensors: [])
    func take(_ name: String, _ pointer: UnsafeMutablePointer<Scalar>?, _ count: Int) {
      guard let pointer else { return }
      result.tensors.append((name, Array(UnsafeBufferPointer(start: pointer, count: count))))
    }
    take("y", y, T * N * H)
    take("h_T", final.hidden, N * H)
    take("c_T", final.cell, N * H)
    take("v_T", final.velocity, N * GH)
    take("q_T", final.secondMoment, N * GH)
    take("dx", dx, T * N * C)
    take("dh_0", dInitial.hidden, N * H)
    take("dc_0", dInitial.cell, N * H)
    take("dv_0", dInitial.velocity, N * GH)
    take("dq_0", dInitial.secondMoment, N * GH)
    take("dW", gradients, shards * stride)
    return result
  }

  /// Runs forward without anything kept, and returns h_T.
  func infer(_ numbers: Numbers, with kernels: (some LayerKernels<Float>).Type) -> [Float] {
    let pool = Pool<Float>()
    func input(_ name: String) -> UnsafePointer<Float> {
      UnsafePointer(pool.fill(numbers.values[name]!))
    }
    let count = geometry.rows * geometry.hidden
    let hidden = pool.fill([Float](repeating: 77, count: count))
    kernels.forward(
      ForwardCall(
        geometry: geometry,
        weights: RecurrentWeights(
          input: input("W_ih"), recurrent: input("W_hh"), inputBias: input("b_ih"),
          recurrentBias: input("b_hh"), unitBias: nil),
        x: input("x"),
        initial: StatePointers(
          hidden: input("h0"), cell: input("c0"), velocity: input("v0"), secondMoment: nil),
        y: nil, final: MutableStatePointers(hidden: hidden), saved: nil))
    return Array(UnsafeBufferPointer(start: hidden, count: count))
  }

  /// The numbers of some rows in a tensor that `run` of all rows left; nil for weights.
  func slice(_ name: String, rows: Range<Int>, of result: Result<Float>) -> [Float]? {
    guard let (width, hasTime) = layout(of: name) else { return nil }
    let (all, N) = (result[name], geometry.rows)
    return (0..<(hasTime ? geometry.steps : 1)).flatMap { t in
      all[(t * N + rows.lowerBound) * width..<(t * N + rows.upperBound) * width]
    }
  }

  /// The case that has only some of the rows, with the numbers of those rows.
  func rows(_ range: Range<Int>, of numbers: Numbers) -> (LayerCase, Numbers) {
    let shape = geometry
    let (T, N) = (shape.steps, shape.rows)
    var part = self
    part.geometry.rows = range.count
    part.shardRows = [range.count]
    var result = numbers
    for (name, width) in [("x", shape.inputs), ("dy", shape.hidden)] {
      let all = numbers.values[name]!
      result.values[name] = (0..<T).flatMap { t in
        all[(t * N + range.lowerBound) * width..<(t * N + range.upperBound) * width]
      }
    }
    for end in ["0", "T"] {
      for (name, width) in [
        ("h", shape.hidden), ("c", shape.hidden), ("v", shape.gateWidth), ("q", shape.gateWidth),
      ] {
        let all = numbers.values[name + end]!
        result.values[name + end] =
          Array(all[range.lowerBound * width..<range.upperBound * width])
      }
    }
    return (part, result)
  }

  /// The floats per row of a tensor of `run`, and whether it has a time axis; nil for weights.
  private func layout(of name: String) -> (width: Int, hasTime: Bool)? {
    switch name {
    case "y": (geometry.hidden, true)
    case "dx": (geometry.inputs, true)
    case "h_T", "c_T", "dh_0", "dc_0": (geometry.hidden, false)
    case "v_T", "q_T", "dv_0", "dq_0": (geometry.gateWidth, false)
    default: nil
    }
  }
}

/// Memory that lives as long as the pool.
final class Pool<Scalar> {
  /// The numbers from a cache line to the beginning of every piece of memory.
  private let offset: Int
  private var pieces: [UnsafeMutableRawPointer] = []

  init(offset: Int = 0) { self.offset = offset }

  func fill(_ values: [Scalar]) -> UnsafeMutablePointer<Scalar> {
    let piece = UnsafeMutableRawPointer.allocate(
      byteCount: (values.count + 1 + offset) * MemoryLayout<Scalar>.stride, alignment: 64)
    pieces.append(piece)
    let start = piece.bindMemory(to: Scalar.self, capacity: values.count + 1 + offset) + offset
    start.initialize(from: values, count: values.count)
    return start
  }

  deinit { for piece in pieces { piece.deallocate() } }
}

/// Steele, Lea and Flood's generator (OOPSLA 2014), enough for test data.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Evenly between -1 and 1.
  mutating func symmetric() -> Float { Float(next() >> 40) / 8_388_608 - 1 }
}

extension [Float] {
  var bits: [UInt32] { map(\.bitPattern) }
}

/// ‖a - b‖ / ‖b‖, or ‖a‖ where b is 0; infinite if a number is not finite.
func relativeError(_ a: [Float], _ b: [Double]) -> Double {
  var (difference, norm) = (0.0, 0.0)
  for (a, b) in zip(a, b) {
    difference += (Double(a) - b) * (Double(a) - b)
    norm += b * b
  }
  let error = norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
  return error.isFinite ? error : .infinity
}
