// SPDX-License-Identifier: Apache-2.0

/// The units of a layer in blocks of `Vector.width`, of which the last is padded. All data that a
/// step keeps is in *block order*: [block][row][gate][lane].
struct Units {
  /// H, the hidden units.
  let count: Int
  /// G, the gates of a unit.
  let gates: Int
  let blocks: Int

  @inline(__always)
  init(_ count: Int, gates: Int) {
    self.count = count
    self.gates = gates
    blocks = (count + Vector.width - 1) / Vector.width
  }

  /// The floats of one row of one block.
  @inline(__always)
  var blockWidth: Int { gates * Vector.width }

  /// The floats of one row of all blocks.
  @inline(__always)
  var paddedWidth: Int { blocks * blockWidth }

  /// The number of units in a block that are not padding.
  @inline(__always)
  func lanes(_ block: Int) -> Int { min(Vector.width, count - block * Vector.width) }
}

/// Converts between row-major matrices and the layouts of the kernels. Padding becomes zero.
enum Packing {
  /// Packs W [G·H, K] for a product that sums over k: [panel][k][block][gate][lane].
  static func columns(
    _ source: UnsafePointer<Float>, depth: Int, units: Units, split: PanelSplit,
    into target: UnsafeMutablePointer<Float>
  ) {
    for panel in 0..<split.panels {
      let (start, width) = (split.start(panel), split.width(panel))
      let row = width * units.blockWidth
      let panelStart = target + start * units.blockWidth * depth
      // Sixteen k are packed at a time, so that the written lines stay in the first-level cache.
      var first = 0
      while first < depth {
        let last = min(first + 16, depth)
        for block in 0..<width {
          let lanes = units.lanes(start + block)
          for gate in 0..<units.gates {
            let column = panelStart + block * units.blockWidth + gate * Vector.width
            for lane in 0..<Vector.width {
              if lane < lanes {
                let unit = gate * units.count + (start + block) * Vector.width + lane
                let from = source + unit * depth
                for k in first..<last { column[k * row + lane] = from[k] }
              } else {
                for k in first..<last { column[k * row + lane] = 0 }
              }
            }
          }
        }
        first = last
      }
    }
  }

  /// Packs the transposed matrix [K, G·H] of a single gate in the layout of `columns`.
  static func transposedColumns(
    _ source: UnsafePointer<Float>, depth: Int, units: Units, split: PanelSplit,
    into target: UnsafeMutablePointer<Float>
  ) {
    for panel in 0..<split.panels {
      let first = split.start(panel) * Vector.width
      let width = split.width(panel) * Vector.width
      let real = min(width, units.count - first)
      var to = target + first * depth
      for k in 0..<depth {
        to.update(from: source + k * units.count + first, count: real)
        (to + real).update(repeating: 0, count: width - real)
        to += width
      }
    }
  }

  /// Packs W [G·H, K] for a product that sums over the gates and has K columns:
  /// [panel][block][gate][unit of the block][column].
  static func rows(
    _ source: UnsafePointer<Float>, columns: Int, order: GateOrder, split: PanelSplit,
    into target: UnsafeMutablePointer<Float>
  ) {
    for panel in 0..<split.panels {
      let first = split.start(panel) * Vector.width
      let width = split.width(panel) * Vector.width
      let real = min(width, columns - first)
      var to = target + first * order.paddedWidth
      for block in 0..<order.blocks {
        let lanes = order.lanes(block)
        for gate in 0..<order.gates {
          for lane in 0..<GateOrder.width {
            if lane < lanes {
              let row = gate * order.count + block * GateOrder.width + lane
              let from = source + row * columns + first
              to.update(from: from, count: real)
              (to + real).update(repeating: 0, count: width - real)
            } else {
              to.update(repeating: 0, count: width)
            }
            to += width
          }
        }
      }
    }
  }

  /// Packs a bias [G·H] in block order; nil is zero.
  static func bias(
    _ source: UnsafePointer<Float>?, units: Units, into target: UnsafeMutablePointer<Float>
  ) {
    toBlocks(source, rows: 1, units: units, into: target)
  }

  /// Packs a state [rows, G·H] in block order; nil is zero.
  static func toBlocks(
    _ source: UnsafePointer<Float>?, rows: Int, units: Units,
    into target: UnsafeMutablePointer<Float>
  ) {
    guard let source else {
      target.update(repeating: 0, count: rows * units.paddedWidth)
      return
    }
    var to = target
    for block in 0..<units.blocks {
      let lanes = units.lanes(block)
      for row in 0..<rows {
        for gate in 0..<units.gates {
          let from = source + (row * units.gates + gate) * units.count + block * Vector.width
          Vector.loading(from, lanes).store(to)
          to += Vector.width
        }
      }
    }
  }

  /// The inverse of `toBlocks`, without the padding.
  static func fromBlocks(
    _ source: UnsafePointer<Float>, rows: Int, units: Units,
    into target: UnsafeMutablePointer<Float>
  ) {
    var from = source
    for block in 0..<units.blocks {
      let lanes = units.lanes(block)
      for row in 0..<rows {
        for gate in 0..<units.gates {
          let to = target + (row * units.gates + gate) * units.count + block * Vector.width
          Vector(from).storing(lanes, to)
          from += Vector.width
        }
      }
    }
  }
}
