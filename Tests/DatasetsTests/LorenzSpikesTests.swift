// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomNumbers
import TestSupport
import Testing

@testable import Datasets

@Suite struct LorenzSpikesTests {
  private var small: LorenzSpikes {
    var system = LorenzSpikes()
    (system.conditions, system.trials, system.steps, system.neurons) = (3, 200, 20, 4)
    (system.rate, system.seed) = (50, 5)
    return system
  }

  @Test func countsFollowTheirRates() throws {
    let trials = try small.generate()
    let rates = try #require(trials.rates)
    #expect((trials.trials, trials.steps, trials.neurons) == (600, 20, 4))
    // Each neuron has the mean rate that was asked for, 50 Hz in bins of 10 ms.
    for neuron in 0..<4 {
      let own = stride(from: neuron, to: rates.count, by: 4).map { Double(rates[$0]) }
      #expect(abs(own.reduce(0, +) / Double(own.count) - 0.5) < 1e-6)
    }
    for condition in 0..<3 {
      for bin in 0..<80 {
        let places = (0..<200).map { (condition * 200 + $0) * 80 + bin }
        // Trials of a condition have one rate; the mean of 200 counts lies within 5 deviations of
        // it, and their variance is about it.
        let rate = Double(rates[places[0]])
        #expect(places.allSatisfy { rates[$0] == rates[places[0]] })
        let mean = places.reduce(0) { $0 + Double(trials.counts[$1]) } / 200
        #expect(abs(mean - rate) < 5 * (rate / 200).squareRoot() + 0.02)
      }
    }
    let excess = rates.indices.reduce(0.0) { sum, place in
      let distance = Double(trials.counts[place]) - Double(rates[place])
      return sum + (distance * distance - Double(rates[place]))
    }
    #expect(abs(excess / Double(rates.count)) < 0.05)
    #expect(try #require(trials.bitsPerSpikeOfRates) > 0.1)
  }

  /// The states move by Euler steps, and logarithms of rates are weighted sums of them.
  @Test func ratesAreExponentialsOfTheSystem() throws {
    let system = small
    let states = (0..<3).flatMap { system.states(of: $0) }
    for step in 0..<19 {
      let (x, y, z) = (states[step * 3], states[step * 3 + 1], states[step * 3 + 2])
      let next = [
        x + 0.006 * 10 * (y - x), y + 0.006 * (x * (28 - z) - y), z + 0.006 * (x * y - 8 / 3.0 * z),
      ]
      for axis in 0..<3 { #expect(abs(states[(step + 1) * 3 + axis] - next[axis]) < 1e-9) }
    }
    let deviations = (0..<3).map { axis -> Double in
      let own = stride(from: axis, to: states.count, by: 3).map { states[$0] }
      let mean = own.reduce(0, +) / 60
      return (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60).squareRoot()
    }
    let rates = try #require(try system.generate().rates)
    for neuron in 0..<4 {
      var stream = RandomStream(seed: 5, purpose: .generatedData, site: 2, index: neuron)
      let weights = (0..<3).map { _ in stream.uniform(in: -1..<1) }
      for condition in 0..<3 {
        for step in 1..<20 {
          let (now, first) = (condition * 20 + step, condition * 20)
          let expected = (0..<3).reduce(0.0) { sum, axis in
            sum + weights[axis] * (states[now * 3 + axis] - states[first * 3 + axis])
              / deviations[axis]
          }
          let start = condition * 200 * 80 + neuron
          let found = log(Double(rates[start + step * 4]) / Double(rates[start]))
          #expect(abs(found - expected) < 1e-4)
        }
      }
    }
  }

  @Test func theSeedDecides() throws {
    let whole = try small.generate()
    #expect(try small.generate() == whole)
    var system = small
    system.seed = 6
    #expect(try system.generate().counts != whole.counts)
    // Fewer trials of a condition are the first ones.
    system = small
    (system.trials, system.conditions) = (200, 3)
    system.neurons = 2
    let fewer = try system.generate()
    let kept = stride(from: 0, to: whole.counts.count, by: 4).flatMap { whole.counts[$0..<$0 + 2] }
    #expect(fewer.counts == kept)
  }

  /// The numbers themselves are a promise.
  @Test func theBitsAreThoseOfTheFirstVersion() throws {
    var system = LorenzSpikes()
    (system.conditions, system.trials, system.steps, system.neurons) = (2, 2, 10, 5)
    system.rate = 100
    let trials = try system.generate()
    #expect(SampleImages.crc32(trials.counts.map { UInt8($0) }) == 0x460c_791a)
  }

  @Test func partsHaveTrialsOfEveryCondition() throws {
    var options = SpikeOptions()
    (options.validationShare, options.testShare) = (0.2, 0.1)
    options.heldOut = .count(1)
    var system = small
    system.trials = 10
    let archive = try SpikeArchive.lorenz(system, options)
    #expect(archive.parts.mapValues(\.trials) == [.train: 21, .validation: 6, .test: 3])
    #expect(archive.heldOut.count == 1 && archive.binSeconds == 0.01)
    let rates = try archive.parts.mapValues { trials in
      Set(
        stride(from: 0, to: trials.counts.count, by: 80).map { trials.rates![$0] })
    }
    #expect(rates[.train]!.count == 3)
    #expect(rates[.train] == rates[.test] && rates[.train] == rates[.validation])
    system.trials = 1
    #expect(throws: DatasetError.self) { try SpikeArchive.lorenz(system, options) }
  }

  @Test func parametersThatLeaveAllBoundsAreRefused() {
    var system = small
    (system.timeStep, system.rho, system.sigma) = (0.1, 1000, 1000)
    #expect(throws: DatasetError.self) { try system.generate() }
  }
}
