// SPDX-License-Identifier: Apache-2.0

import Kernels
import RandomNumbers
import Tensors

/// A leaky integrator of its input, the control of Nayebi et al. (NeurIPS 2018).
///
///     h' = τ h + x
///
/// τ is one trained number per layer. It starts at one half.
public struct TimeDecay: MapCellFamily {
  public init() {}
  public var summary: String { "decay" }
  public var body: String { "time decay" }
  public var addsInput: Bool { true }

  func cell<Scalar: KernelScalar>(
    on geometry: MapGeometry, as: Scalar.Type
  ) -> any RecurrentCell<Scalar> { Cell<Scalar>(geometry: geometry) }

  private struct Cell<Scalar: KernelScalar>: MapCell {
    let geometry: MapGeometry

    var products: [CellProduct] { [] }
    var vectors: [NamedShape] { [NamedShape(geometry.name.of("decay"), [1])] }
    var states: [NamedShape] { [geometry.map("h")] }
    var tape: [NamedShape] { [] }
    /// A multiplication and an addition forward, and twice as many backward.
    var furtherOperations: Double { 6 * Double(geometry.places * geometry.hidden) }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      parameters[vectors[0].name].fill(0.5)
    }

    func step(_ s: CellStep<Scalar>) {
      s.after[0].copy(from: s.input)
      s.after[0].add(s.before[0], scale: s.vectors[0][0])
    }

    func adjoint(_ s: CellAdjoint<Scalar>) {
      s.dInput?.add(s.dAfter[0], scale: 1)
      for (group, rows) in zip(s.groupStarts, s.groupStarts.dropFirst()).enumerated() {
        for row in rows.0..<rows.1 {
          s.dVectors[0][group] += s.dAfter[0].row(row).dot(s.before[0].row(row))
        }
      }
      s.dBefore[0].fill(0)
      s.dBefore[0].add(s.dAfter[0], scale: s.vectors[0][0])
    }
  }
}
