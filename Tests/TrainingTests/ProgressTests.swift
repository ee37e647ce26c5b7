// SPDX-License-Identifier: Apache-2.0

import Configuration
import Testing

@testable import Training

@Suite struct ProgressTests {
  @Test func durationsForPeople() {
    #expect(Progress.duration(59.6) == "1 min 00 s")
    #expect(Progress.duration(3725) == "1 h 02 min")
  }

  @Test func earlyStoppingCountsEpochsWithoutABetterLoss() {
    var settings = TrainingConfiguration.EarlyStopping()
    #expect(!settings.isDue([1, 2, 3, 4]))
    settings.patience = 2
    #expect(!settings.isDue([1, 2]))
    #expect(settings.isDue([1, 2, 1]))
    #expect(!settings.isDue([3, 2, 2.5]))
    #expect(!settings.isDue([1, 2, 0.5]))
    #expect(settings.isDue([1, .nan, .nan]))
    #expect(!settings.isDue([]))
  }
}
