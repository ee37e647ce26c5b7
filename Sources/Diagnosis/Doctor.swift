// SPDX-License-Identifier: Apache-2.0

/// Checks everything on this machine, or on the hosts of a job, that a run depends on.
///
/// A check is a small type in Checks/. Its properties are the facts, `here` determines them on this
/// machine, and `finding` judges them. To add a check, add a file there and a line in a list below.
public struct Doctor {
  /// The folder for runs.
  public let output: String
  /// This program, of which two ranks are started; nil starts none.
  public let program: String?

  /// The path of the running program.
  public static var ownProgram: String { ProgramFile.ownPath }

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
    ] + shared + [program.flatMap { StartCheck.here($0)?.finding }].compactMap { $0 }
  }

  /// What was found on a host of a job whose ranks are connected already.
  ///
  /// - Parameter cores: the number of cores that at least one of the host's ranks may run on
  func findings(ofRanksWith cores: Int) -> [Finding] {
    [
      CoresCheck.here(allowed: cores).finding,
      InstructionsCheck.here().finding,
      MemoryCheck.here().finding,
      SharedMemoryCheck.here().finding,
      OpenMPICheck.here().libraryFinding,
    ] + shared
  }

  private var shared: [Finding] {
    [
      SingleCopyCheck.here().finding,
      OpenBLASCheck.here().finding,
      HDF5Check.here().finding,
      OutputCheck.here(output).finding,
      LockingCheck.here(output).finding,
    ]
  }
}
