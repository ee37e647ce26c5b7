// SPDX-License-Identifier: Apache-2.0

import KernelInterface

/// An operation that needs drive and body as types.
protocol FormulaWork {
  associatedtype V: Lanes
  associatedtype Result

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) -> Result
  where D.V == V, B.V == V
}

extension FormulaWork {
  /// Runs the work with the drive and the body of a layer. Every drive and every body has one line
  /// in this file.
  @inline(__always)
  func run(for geometry: LayerGeometry) -> Result {
    switch geometry.body {
    case .tanh: run(geometry.drive.kind, TanhBody<V>.self)
    case .lstm: run(geometry.drive.kind, LSTMBody<V>.self)
    case .gru: run(geometry.drive.kind, GRUBody<V>.self)
    case .modReLU: run(geometry.drive.kind, ModReLUBody<V>.self)
    }
  }

  @inline(__always)
  private func run<B: BodyFormula>(_ drive: DriveKind, _: B.Type) -> Result where B.V == V {
    BodyWork<Self, B>(work: self).run(for: drive)
  }
}

/// The work of drive and body, with the body already a type.
private struct BodyWork<Work: FormulaWork, B: BodyFormula>: DriveWork where B.V == Work.V {
  typealias V = Work.V
  let work: Work

  @inline(__always)
  func run<D: DriveFormula>(_: D.Type) -> Work.Result where D.V == V { work.run(D.self, B.self) }
}

/// An operation that needs the drive as a type.
protocol DriveWork {
  associatedtype V: Lanes
  associatedtype Result

  func run<D: DriveFormula>(_: D.Type) -> Result where D.V == V
}

extension DriveWork {
  /// Runs the work with a drive.
  @inline(__always)
  func run(for drive: DriveKind) -> Result {
    switch drive {
    case .plain: run(PlainDrive<V>.self)
    case .momentum: run(MomentumDrive<V>.self)
    case .adam: run(AdamDrive<V>.self)
    case .nesterov: run(NesterovDrive<V>.self)
    case .nesterovExtrapolated: run(NesterovExtrapolatedDrive<V>.self)
    }
  }
}
