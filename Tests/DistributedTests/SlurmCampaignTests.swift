// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/slurm-campaign: the job script on a real Slurm.
@Suite(.serialized) struct SlurmCampaignTests {
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["MOMENTUM_DIST_SLURM"] != nil && getuid() == 0,
      "MOMENTUM_DIST_SLURM is not set, or this is not root; it installs Slurm in memory"))
  func jobsEndWithTheBitsOfOneRank() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.script(
        "slurm-campaign", ["--program", "\(Program.products)/momentum-dist"], in: folder,
        deadline: 1800)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
      #expect(!outcome.output.contains("WRONG"), "\(outcome.output)")
    }
  }

  @Test(arguments: [["--program"], ["--nothing"], ["--mpi"]])
  func optionsAreChecked(options: [String]) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.script("slurm-campaign", options, in: folder, deadline: 60)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("slurm-campaign: "), "\(outcome.errors)")
    }
  }
}
