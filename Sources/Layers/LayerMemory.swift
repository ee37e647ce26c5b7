// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// The work space of one layer.
struct LayerMemory<Scalar: KernelScalar> {
  private let workspace: Workspace<Scalar>
  private let name: LayerName

  init(_ workspace: Workspace<Scalar>, _ name: LayerName) {
    self.workspace = workspace
    self.name = name
  }

  func tensor(_ piece: String, _ shape: [Int]) -> Tensor<Scalar> {
    workspace.tensor(name.of(piece), shape)
  }

  /// A tensor for each of some shapes, with `leading` extents before its own.
  func tensors(_ piece: String, _ leading: [Int], _ shapes: [NamedShape]) -> [Tensor<Scalar>] {
    shapes.map { tensor("\(piece).\($0.name)", leading + $0.shape) }
  }
}
