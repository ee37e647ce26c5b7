import KernelInterface

/// Something to do once drive and body are types.
protocol FormulaWork {
  associatedtype V: Lanes
  associatedtype Result

  func run<D: DriveFormula, B: BodyFormula>(_: D.Type, _: B.Type) -> Result
  where D.V == V, B.V == V
}

extension FormulaWork {
  /// Runs the work with the drive and the body of a layer. Every drive and every body has its line
  /// here, and nowhere else.
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
  private func run<B: BodyFormula>(_ drive: DriveKind, _ body: B.Type) -> Result where B.V == V {
    switch drive {
    case .plain: run(PlainDrive<V>.self, body)
    case .momentum: run(MomentumDrive<V>.self, body)
    case .adam: run(AdamDrive<V>.self, body)
    case .nesterov: run(NesterovDrive<V>.self, body)
    case .nesterovExtrapolated: run(NesterovExtrapolatedDrive<V>.self, body)
    }
  }
}
