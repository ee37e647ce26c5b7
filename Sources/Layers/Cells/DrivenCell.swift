// SPDX-License-Identifier: Apache-2.0

import BLAS
import KernelInterface
import Kernels
import RandomNumbers
import Tensors

/// Adds a drive to any cell (Nguyen et al., NeurIPS 2020). The cell's first product, which is that
/// of the input, is g_t, and the cell gets d_t instead.
///
///     g_t = x_t W_ih + b_ih,   d_t = drive(g_t),   s_t = cell(d_t, ..., s_{t-1})
///
/// A norm of the cell therefore normalises d_t, from which its gates are computed.
public struct DrivenCell: CellFamily {
  /// The drive of the first product.
  package let drive: DriveKind
  /// The cell that is driven.
  package let family: any CellFamily

  /// - Parameters:
  ///   - drive: a drive with a velocity that does not change the recurrent term
  ///   - family: the cell
  public init(_ drive: DriveKind, _ family: any CellFamily) {
    precondition(DriveParameters(drive).hasVelocity && drive != .nesterovExtrapolated)
    self.drive = drive
    self.family = family
  }

  public var summary: String { "\(drive.title), \(family.summary)" }
  public var body: String { family.body }
  public var usesGateBias: Bool { family.usesGateBias }
  public var readsMaps: Bool { family.readsMaps }
  public var addsInput: Bool { family.addsInput }

  public func cell<Scalar: KernelScalar>(
    inputs: Int, hidden: Int, constants: CellConstants, named name: LayerName, as type: Scalar.Type
  ) -> any RecurrentCell<Scalar> {
    let cell = family.cell(
      inputs: inputs, hidden: hidden, constants: constants, named: name, as: type)
    precondition(cell.products.first?.operand == .input, "a drive works on a product of the input")
    return Cell(
      drive: DriveParameters(
        drive, mu: constants.mu, epsilon: constants.epsilon, beta: constants.beta,
        restart: constants.restart),
      cell: cell, ownStates: cell.states.count, width: cell.products[0].results,
      stage: cell.products[0].stage,
      added: cell.products.indices.filter { cell.products[$0].addsTo == 0 })
  }

  /// The states v and s, and g if the adjoint needs it, come after those of the cell. So the cell's
  /// own states have the same places as without a drive.
  private struct Cell<Scalar: KernelScalar>: RecurrentCell {
    let drive: DriveParameters
    let cell: any RecurrentCell<Scalar>
    /// The number of the cell's own states.
    let ownStates: Int
    let width: Int
    /// The stage that sees the input's product.
    let stage: Int
    /// The cell's products that are added to the input's product. Here they have their own results,
    /// which are added to d_t.
    let added: [Int]

    var products: [CellProduct] {
      cell.products.map { product in
        product.addsTo != 0
          ? product
          : CellProduct(
            product.weight, bias: nil, of: product.operand, width: product.width,
            groups: product.groups, stage: product.stage)
      }
    }
    var vectors: [NamedShape] { cell.vectors }
    var states: [NamedShape] {
      cell.states + (drive.hasSecondMoment ? ["v", "s"] : ["v"]).map { NamedShape($0, [width]) }
    }
    var restartingStates: Set<String> { cell.restartingStates }
    var tape: [NamedShape] {
      cell.tape + (drive.hasSecondMoment ? [NamedShape("drive", [width])] : [])
    }

    var scratch: [NamedShape] { cell.scratch }
    var readsTimes: Bool { cell.readsTimes }
    var furtherOperations: Double { cell.furtherOperations }
    func furtherNumbers(steps T: Int) -> Double { cell.furtherNumbers(steps: T) }

    func prepare() throws(LAPACKError) { try cell.prepare() }

    func initialize(
      _ parameters: ParameterBuffer<Scalar>, gateBias: Double, stream: inout RandomStream
    ) {
      cell.initialize(parameters, gateBias: gateBias, stream: &stream)
    }

    @specialized(where Scalar == Float)
    func step(_ s: CellStep<Scalar>) {
      if s.stage == stage {
        let term = s.products[0]
        if drive.hasSecondMoment { s.tape[s.tape.count - 1].copy(from: term) }
        DriveRecursion.forward(
          drive, step: s.index, term: term, before: own(s.before), after: own(s.after))
        for index in added { term.add(s.products[index], scale: 1) }
      }
      cell.step(s)
    }

    @specialized(where Scalar == Float)
    func adjoint(_ s: CellAdjoint<Scalar>) {
      cell.adjoint(s)
      guard s.stage == stage else { return }
      for index in added { s.dProducts[index].copy(from: s.dProducts[0]) }
      DriveRecursion.backward(
        drive, step: s.index, gradient: s.dProducts[0],
        saved: drive.hasSecondMoment ? (s.tape[s.tape.count - 1], own(s.after)) : nil,
        dAfter: own(s.dAfter), dBefore: own(s.dBefore))
    }

    /// The states of the drive.
    private func own(_ states: [Tensor<Scalar>]) -> [Tensor<Scalar>] {
      Array(states[ownStates...])
    }
  }
}
