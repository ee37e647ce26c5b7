// SPDX-License-Identifier: Apache-2.0

import Datagrams
import Foundation
import Testing

@testable import Liveness

/// Datagrams from others: those that no rank of the job has sent are ignored.
@Suite struct HeartbeatTests {
  private static let key: (UInt64, UInt64) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)

  private func beat(_ rank: Int, for seconds: Double = 1, culprit: Int? = nil) -> Heartbeat {
    Heartbeat(
      rank: rank, activity: Activity(.reducing, step: 7), activitySeconds: seconds,
      waitSeconds: 0.5,
      culprit: culprit)
  }

  private func coder(_ key: (UInt64, UInt64) = Self.key) -> HeartbeatCoder {
    HeartbeatCoder(key: key, ranks: 3)
  }

  /// The example of the paper's appendix A, and two of the authors' vectors.sip64.
  @Test func theHashIsSipHash() {
    let hash = SipHash(key: 0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    let bytes = (0..<64).map { UInt8($0) }
    #expect(hash.tag(of: bytes[..<15]) == 0xa129_ca61_49be_45e5)
    #expect(hash.tag(of: []) == 0x726f_db47_dd0e_0e31)
    #expect(hash.tag(of: bytes[..<8]) == 0x93f5_f579_9a93_2462)
  }

  @Test func whatARankSaysArrives() {
    var (sender, receiver) = (coder(), coder())
    for beat in [beat(1), beat(1, culprit: 2), beat(1, for: 0, culprit: 0)] {
      #expect(receiver.heartbeat(sender.bytes(beat)) == beat)
    }
  }

  /// Of another job, with any bit changed, of any other length: all but one in 2^64.
  @Test func forgedDatagramsSayNothing() {
    var (sender, receiver) = (coder(), coder())
    let good = sender.bytes(beat(1, culprit: 2))
    for bit in 0..<8 * good.count {
      var bytes = good
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(receiver.heartbeat(bytes) == nil, "bit \(bit)")
    }
    for length in [0, 48, 55] { #expect(receiver.heartbeat(Array(good.prefix(length))) == nil) }
    #expect(receiver.heartbeat(good + [0]) == nil)
    var stranger = coder((Self.key.0, Self.key.1 ^ 1))
    #expect(receiver.heartbeat(stranger.bytes(beat(1, culprit: 2))) == nil)
    #expect(receiver.heartbeat(good) != nil, "none of these has used up its number")
  }

  /// A datagram counts once, and not after a later one from its sender.
  @Test func repeatedDatagramsSayNothing() {
    var (one, two, receiver) = (coder(), coder(), coder())
    let (first, second) = (one.bytes(beat(1, culprit: 2)), one.bytes(beat(1)))
    #expect(receiver.heartbeat(second) != nil)
    #expect(receiver.heartbeat(second) == nil && receiver.heartbeat(first) == nil)
    #expect(receiver.heartbeat(two.bytes(beat(2))) != nil, "each rank has a count of its own")
  }

  /// Even a rank of the job with damaged memory does not make another trap.
  @Test(arguments: [1e300, -1, .infinity, .nan, 1e10]) func numbersThatCannotBeSayNothing(
    seconds: Double
  ) {
    var (sender, receiver) = (coder(), coder())
    #expect(receiver.heartbeat(sender.bytes(beat(1, for: seconds))) == nil)
    #expect(receiver.heartbeat(sender.bytes(beat(3))) == nil)
    #expect(receiver.heartbeat(sender.bytes(beat(1, culprit: 3))) == nil)
    var table = PeerTable(rank: 0, ranks: 3)
    table.hear(beat(1, for: seconds))
    table.advance(by: seconds, activity: Activity(.computing, step: 1), wait: nil) { _ in false }
    let culprit = PeerTable.Culprit(rank: 1, evidence: .silent(seconds))
    let report = table.report([culprit], hosts: ["a", "b", "c"])
    #expect(report.contains("rank 1 on b has been silent"), "\(report)")
  }

  private typealias Address = SIMD4<UInt8>

  private func entry(_ host: String, _ addresses: [Address]) -> PeerDirectory.Entry {
    .init(
      host: host, network: "boot-\(host)", process: ProcessIdentity(number: 1, start: 1),
      port: 5000,
      addresses: addresses)
  }

  /// On one machine a rank hears nothing from outside; between two, only from the other's network.
  @Test func aRankListensWhereTheOthersAre() {
    let (a, b, bridge): (Address, Address, Address) = (
      [10, 0, 0, 1], [10, 0, 0, 2], [172, 17, 0, 1]
    )
    let one = [entry("one", [a, bridge]), entry("one", [a, bridge])]
    #expect(PeerDirectory.address(of: 0, in: one) { _ in nil } == [127, 0, 0, 1])
    // Both machines have a bridge of the same address, and no way to the other's.
    let two = [entry("one", [a, bridge]), entry("two", [b, bridge])]
    var asked: [Address] = []
    let own = PeerDirectory.address(of: 0, in: two) {
      asked.append($0)
      return a
    }
    #expect(own == a && asked == [b])
    #expect(PeerDirectory.address(of: 0, in: two) { _ in nil } == nil)
    // Two routes: the address at which the other listens is unknown.
    let many = [entry("one", [a]), entry("two", [b, [192, 168, 0, 2]])]
    #expect(PeerDirectory.address(of: 0, in: many) { $0 == b ? a : [192, 168, 0, 1] } == nil)
  }

  @Test func nothingIsSentToAnAddressOfOnesOwn() {
    let (a, b, bridge): (Address, Address, Address) = (
      [10, 0, 0, 1], [10, 0, 0, 2], [172, 17, 0, 1]
    )
    let directory = PeerDirectory(
      rank: 0,
      entries: [entry("one", [a, bridge]), entry("two", [bridge, b]), entry("one", [a])],
      key: Self.key)
    #expect(directory.addresses(of: 1).map(\.host) == [b])
    #expect(directory.addresses(of: 2).map(\.host) == [a])
    var mute = entry("two", [b])
    mute.port = 0
    let other = PeerDirectory(rank: 0, entries: [entry("one", [a]), mute], key: Self.key)
    #expect(other.addresses(of: 1).isEmpty)
  }

  /// A rank that listens at one address still knows its machine's others.
  @Test func theBridgeOfOnesOwnIsKnownToAListenerAtOneAddress() {
    let (a, b, bridge): (Address, Address, Address) = (
      [10, 0, 0, 1], [10, 0, 0, 2], [172, 17, 0, 1]
    )
    let directory = PeerDirectory(
      rank: 0, entries: [entry("one", [a]), entry("two", [bridge, b])], key: Self.key,
      ownAddresses: [a, bridge])
    #expect(directory.addresses(of: 1).map(\.host) == [b])
  }

  /// A datagram that a stranger forwards does not redirect the answers to the stranger.
  @Test func answersGoToListedAddressesOnly() {
    let (a, b, other): (Address, Address, Address) = (
      [10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]
    )
    let directory = PeerDirectory(
      rank: 0, entries: [entry("one", [a]), entry("two", [b]), entry("one", [a, other])],
      key: Self.key)
    #expect(directory.isAddress(DatagramAddress(host: b, port: 5000), of: 1))
    #expect(!directory.isAddress(DatagramAddress(host: b, port: 5001), of: 1))
    #expect(!directory.isAddress(DatagramAddress(host: other, port: 5000), of: 1))
    let near = DatagramAddress(host: DatagramAddress.loopback, port: 5000)
    #expect(directory.isAddress(near, of: 2) && !directory.isAddress(near, of: 1))
  }

  @Test func entriesReadBack() throws {
    var one = entry("a", [[1, 2, 3, 4], [5, 6, 7, 8]])
    one.host = "a; b 1 2"
    #expect(PeerDirectory.Entry(one.text) == one)
    let bare = PeerDirectory.Entry(
      host: "c", process: ProcessIdentity(number: 1, start: 1), port: 0, addresses: [])
    #expect(PeerDirectory.Entry(bare.text) == bare)
    #expect(PeerDirectory.Entry("1 2 3") == nil)
  }

  /// A socket at the loopback hears what comes there.
  @Test func aSocketAtOneAddressHears() throws {
    let socket = try #require(DatagramSocket(at: DatagramAddress.loopback))
    let other = try #require(DatagramSocket(at: DatagramAddress.loopback))
    other.send([1, 2, 3], to: DatagramAddress(host: DatagramAddress.loopback, port: socket.port))
    #expect(socket.receive(capacity: 8, milliseconds: 2000)?.bytes == [1, 2, 3])
    #expect(NetworkInterfaces.source(towards: DatagramAddress.loopback) == [127, 0, 0, 1])
    #expect(DatagramSocket(at: [203, 0, 113, 7]) == nil, "no address of this machine")
  }
}
