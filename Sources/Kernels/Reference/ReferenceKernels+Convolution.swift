// SPDX-License-Identifier: Apache-2.0

import KernelInterface

extension ReferenceKernels {
  static func convolve(_ call: ConvolutionCall<Scalar>) {
    let grid = call.windows
    forEachWindow(of: grid) { place, first in
      for column in 0..<call.columns {
        let index = place * call.columns + column
        var sum = call.isAdding ? call.y[index] : call.bias?[column] ?? 0
        for run in 0..<grid.runs {
          sum += dot(
            call.map + first + run * grid.runStep,
            call.packed + column * grid.depth + run * grid.run, grid.run)
        }
        call.y[index] = sum
      }
    }
  }

  static func addConvolutionGradient(_ call: ConvolutionGradientCall<Scalar>) {
    let grid = call.windows
    forEachWindow(of: grid) { place, first in
      for column in 0..<call.width {
        let delta = call.deltas[place * call.width + column]
        for run in 0..<grid.runs {
          let target = call.gradient + column * grid.depth + run * grid.run
          let source = call.map + first + run * grid.runStep
          for k in 0..<grid.run { target[k] += delta * source[k] }
        }
      }
    }
  }

  /// Calls `body` with each place and the start of its window.
  @inline(__always)
  private static func forEachWindow(of grid: WindowGrid, _ body: (Int, Int) -> Void) {
    for y in 0..<grid.lines {
      for x in 0..<grid.places {
        body(y * grid.places + x, y * grid.lineStep + x * grid.placeStep)
      }
    }
  }
}
