// SPDX-License-Identifier: Apache-2.0

import KernelInterface

// Legendre memories, one coefficient after the other.

extension ReferenceKernels {
  static func advance(_ call: LegendreMemoryCall<Scalar>, _ memory: LegendreMemoryForward<Scalar>) {
    for row in 0..<call.rows {
      let clock = LegendreClock(call, row: row)
      memory.clockAfter[2 * row] = 1
      memory.clockAfter[2 * row + 1] = clock.now
      for place in row * call.channels..<(row + 1) * call.channels {
        let (m, result) = (memory.before + place * call.order, memory.after + place * call.order)
        if clock.isFirst {
          result.update(repeating: 0, count: call.order)
          result[0] = memory.input[place]
          continue
        }
        var scan = LegendreScan(
          size: clock.size, oldShare: call.oldShare, newShare: call.newShare,
          input: memory.input[place])
        for n in 0..<call.order {
          result[n] = scan.next(m[n], root: call.roots[n], place: Scalar(n + 1))
        }
      }
    }
  }

  static func advanceBackward(
    _ call: LegendreMemoryCall<Scalar>, _ memory: LegendreMemoryBackward<Scalar>
  ) {
    for row in 0..<call.rows {
      let clock = LegendreClock(call, row: row)
      for place in row * call.channels..<(row + 1) * call.channels {
        let (dAfter, dBefore) = (
          memory.dAfter + place * call.order, memory.dBefore + place * call.order
        )
        if clock.isFirst {
          memory.dInput[place] = dAfter[0]
          dBefore.update(repeating: 0, count: call.order)
          continue
        }
        var scan = LegendreScan(
          size: clock.size, oldShare: call.oldShare, newShare: call.newShare)
        for n in (0..<call.order).reversed() {
          dBefore[n] = scan.previous(dAfter[n], root: call.roots[n], place: Scalar(n + 1))
        }
        memory.dInput[place] = scan.inputGradient
      }
    }
  }
}
