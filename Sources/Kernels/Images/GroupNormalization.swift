// SPDX-License-Identifier: Apache-2.0

import Tensors

/// Group normalisation of maps (Wu and He, ECCV 2018). Mean and biased variance are taken over all
/// places of a map and over a group of neighbouring channels. With one group, it is layer
/// normalisation of the whole map.
///
///     n = (z - mean z) / √(var z + 1e-5),   y = n · gain + shift
///
/// Gain and shift have one number per channel. Every map is normalised separately, and the order of
/// its sums depends only on its shape.
public struct GroupNormalization: Sendable, Hashable {
  /// The shape of a map.
  public let map: MapShape
  /// G, the number of groups of channels.
  public let groups: Int

  /// - Parameters:
  ///   - map: the shape of a map
  ///   - groups: a divisor of the channels
  public init(_ map: MapShape, groups: Int) {
    precondition(
      groups > 0 && map.channels % groups == 0, "\(groups) groups of \(map.channels) channels")
    (self.map, self.groups) = (map, groups)
  }

  /// - Parameters:
  ///   - z: maps [N, Y X C]
  ///   - gain: [C]
  ///   - shift: [C]
  ///   - y: maps, overwritten; may share the memory of z
  ///   - normalised: maps, receives n for `backward`
  ///   - inverseDeviation: [N, G], receives 1 / √(var z + 1e-5) for `backward`
  @specialized(where Scalar == Float)
  public func forward<Scalar: KernelScalar>(
    _ z: Tensor<Scalar>, gain: Tensor<Scalar>, shift: Tensor<Scalar>, into y: Tensor<Scalar>,
    normalised: Tensor<Scalar>, inverseDeviation: Tensor<Scalar>
  ) {
    let rows = check([z, y, normalised], [gain, shift], inverseDeviation)
    let (C, gain, shift) = (map.channels, gain.pointer, shift.pointer)
    withChannels { (s: ChannelNumbers<Scalar>) in
      for row in 0..<rows {
        let (z, y) = (z.pointer + row * map.count, y.pointer + row * map.count)
        let n = normalised.pointer + row * map.count
        s.sum { place, c in z[place + c] }
        for group in 0..<groups { s.setMean(of: group, in: s.first) }
        s.sum { place, c in
          let difference = z[place + c] - s.first[c]
          return difference * difference
        }
        for group in 0..<groups {
          let deviation = (s.mean(of: group) + LayerNormalization.epsilon).squareRoot()
          inverseDeviation.pointer[row * groups + group] = Scalar(1 / deviation)
          s.set(Scalar(1 / deviation), of: group, in: s.factor)
        }
        for place in stride(from: 0, to: map.count, by: C) {
          // Each loop has one result, because the compiler vectorises only loops with few pointers.
          let (z, n, y) = (z + place, n + place, y + place)
          for c in 0..<C { n[c] = (z[c] - s.first[c]) * s.factor[c] }
          for c in 0..<C { y[c] = n[c] * gain[c] + shift[c] }
        }
      }
    }
  }

  /// The adjoint of `forward`.
  ///
  /// - Parameters:
  ///   - dy: maps [N, Y X C]
  ///   - normalised: n from `forward`
  ///   - inverseDeviation: that of `forward`
  ///   - gain: [C]
  ///   - dz: maps, overwritten; may share the memory of dy
  ///   - dGain: [shards, C], to which the maps of a shard add their Σ dy · n, from first to last
  ///   - dShift: [shards, C], to which they add their Σ dy
  ///   - shardStarts: the first map of each shard, then N
  @specialized(where Scalar == Float)
  public func backward<Scalar: KernelScalar>(
    _ dy: Tensor<Scalar>, normalised: Tensor<Scalar>, inverseDeviation: Tensor<Scalar>,
    gain: Tensor<Scalar>, into dz: Tensor<Scalar>, dGain: Tensor<Scalar>, dShift: Tensor<Scalar>,
    shardStarts: [Int]
  ) {
    let rows = check([dy, normalised, dz], [gain], inverseDeviation)
    let (C, shards) = (map.channels, shardStarts.count - 1)
    precondition(
      shardStarts.first == 0 && shardStarts.last == rows && dGain.count == shards * C
        && dShift.count == shards * C,
      "\(dGain.shape) and \(dShift.shape) for shards that start at \(shardStarts)")
    let gain = gain.pointer
    withChannels { (s: ChannelNumbers<Scalar>) in
      var shard = 0
      for row in 0..<rows {
        while row >= shardStarts[shard + 1] { shard += 1 }
        let (dy, dz) = (dy.pointer + row * map.count, dz.pointer + row * map.count)
        let n = normalised.pointer + row * map.count
        s.sum { place, c in dy[place + c] }
        s.addTotals(to: dShift.pointer + shard * C, thenMultiplyBy: gain)
        for group in 0..<groups { s.setMean(of: group, in: s.first) }
        s.sum { place, c in dy[place + c] * n[place + c] }
        s.addTotals(to: dGain.pointer + shard * C, thenMultiplyBy: gain)
        for group in 0..<groups {
          s.setMean(of: group, in: s.second)
          s.set(inverseDeviation.pointer[row * groups + group], of: group, in: s.factor)
        }
        for place in stride(from: 0, to: map.count, by: C) {
          // dz may share the memory of dy, and a loop that writes to it directly is not vectorised.
          let (dy, n) = (dy + place, n + place)
          for c in 0..<C {
            s.chain[c] = s.factor[c] * (dy[c] * gain[c] - s.first[c] - n[c] * s.second[c])
          }
          (dz + place).update(from: s.chain, count: C)
        }
      }
    }
  }

  /// - Returns: N
  private func check<Scalar: KernelScalar>(
    _ maps: [Tensor<Scalar>], _ vectors: [Tensor<Scalar>], _ deviations: Tensor<Scalar>
  ) -> Int {
    let rows = maps[0].count / map.count
    precondition(
      maps.allSatisfy { $0.count == rows * map.count }
        && vectors.allSatisfy { $0.count == map.channels } && deviations.count == rows * groups,
      "\(maps.map(\.shape)), \(vectors.map(\.shape)) and \(deviations.shape) for \(groups) groups"
        + " of \(map)")
    return rows
  }

  /// Calls `body` with memory for some numbers of each channel.
  @inline(__always)
  private func withChannels<Scalar: KernelScalar>(_ body: (ChannelNumbers<Scalar>) -> Void) {
    let C = map.channels
    // On the stack if it is small, because this runs in every time step.
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 4 * C) { numbers in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: C) { totals in
        numbers.initialize(repeating: 0)
        totals.initialize(repeating: 0)
        body(
          ChannelNumbers(
            map: map, width: C / groups, start: numbers.baseAddress!, totals: totals.baseAddress!))
      }
    }
  }
}

/// Sums over the places of a map, channel by channel, and numbers computed from them.
private struct ChannelNumbers<Scalar: KernelScalar> {
  private let map: MapShape
  /// The channels of a group.
  private let width: Int
  /// The sums of a chain of places, which may be overwritten afterwards, and of all places [C].
  let chain: UnsafeMutablePointer<Scalar>
  private let totals: UnsafeMutablePointer<Double>
  /// Numbers of each channel [C], the same within a group.
  let first: UnsafeMutablePointer<Scalar>
  let second: UnsafeMutablePointer<Scalar>
  let factor: UnsafeMutablePointer<Scalar>

  /// - Parameter start: memory for 4 C numbers
  init(
    map: MapShape, width: Int, start: UnsafeMutablePointer<Scalar>,
    totals: UnsafeMutablePointer<Double>
  ) {
    (self.map, self.width, self.totals) = (map, width, totals)
    let C = map.channels
    (chain, first, second, factor) = (start, start + C, start + 2 * C, start + 3 * C)
  }

  /// Sums a term over all places, in chains of 64 to preserve precision in large maps.
  ///
  /// - Parameter term: returns the term, given the start of a place in the map and a channel
  @inline(__always)
  func sum(_ term: (Int, Int) -> Scalar) {
    let C = map.channels
    totals.update(repeating: 0, count: C)
    for place in stride(from: 0, to: map.places, by: 64) {
      chain.update(repeating: 0, count: C)
      for place in place..<min(place + 64, map.places) {
        for c in 0..<C { chain[c] += term(place * C, c) }
      }
      for c in 0..<C { totals[c] += Double(chain[c]) }
    }
  }

  /// Adds the sums to the gradient of a vector [C], and then multiplies each by its channel's gain.
  @inline(__always)
  func addTotals(
    to gradient: UnsafeMutablePointer<Scalar>,
    thenMultiplyBy gain: UnsafeMutablePointer<Scalar>
  ) {
    for c in 0..<map.channels {
      gradient[c] += Scalar(totals[c])
      totals[c] *= Double(gain[c])
    }
  }

  /// The mean over the places and channels of a group.
  @inline(__always)
  func mean(of group: Int) -> Double {
    var sum = 0.0
    for c in group * width..<(group + 1) * width { sum += totals[c] }
    return sum / Double(map.places * width)
  }

  /// Sets every channel of a group to the mean over the group.
  @inline(__always)
  func setMean(of group: Int, in numbers: UnsafeMutablePointer<Scalar>) {
    set(Scalar(mean(of: group)), of: group, in: numbers)
  }

  @inline(__always)
  func set(_ value: Scalar, of group: Int, in numbers: UnsafeMutablePointer<Scalar>) {
    (numbers + group * width).update(repeating: value, count: width)
  }
}
