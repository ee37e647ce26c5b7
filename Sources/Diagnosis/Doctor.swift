/// Looks at everything on this machine that a run depends on.
///
/// A check is a small type in Checks/: its properties are the facts, `here` finds them on this
/// machine, and `finding` judges them. A new one is a file there and a line in `findings`.
public struct Doctor {
  /// The folder that runs are to be written to.
  public let output: String

  public init(output: String) {
    self.output = output
  }

  /// What was found, in the order in which a run meets it.
  public func findings() -> [Finding] {
    [
      CoresCheck.here().finding,
      InstructionsCheck.here().finding,
      MemoryCheck.here().finding,
      SharedMemoryCheck.here().finding,
      OpenMPICheck.here().finding,
      RootCheck.here().finding,
      SingleCopyCheck.here().finding,
      OpenBLASCheck.here().finding,
      HDF5Check.here().finding,
      OutputCheck.here(output).finding,
      LockingCheck.here(output).finding,
    ]
  }
}
