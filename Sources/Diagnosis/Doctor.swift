// SPDX-License-Identifier: Apache-2.0

/// Checks everything on this machine that a run depends on.
///
/// A check is a small type in Checks/. Its properties are the facts, `here` determines them on this
/// machine, and `finding` judges them. To add a check, add a file there and a line in `findings`.
public struct Doctor {
  /// The folder for runs.
  public let output: String
  /// This program, of which two ranks are started; nil starts none.
  public let program: String?

  public init(output: String, program: String? = nil) {
    (self.output, self.program) = (output, program)
  }

  /// The line that the program started by `findings` prints on rank 0 if its two ranks are
  /// connected.
  public static let answer = StartCheck.answer

  /// The findings, in the order in which a run depends on them.
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
    ] + [program.flatMap { StartCheck.here($0)?.finding }].compactMap { $0 }
  }
}
