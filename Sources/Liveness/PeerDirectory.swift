// SPDX-License-Identifier: Apache-2.0

import Datagrams
import Foundation
import MPI

/// The ranks and the addresses for their heartbeats.
struct PeerDirectory: Sendable {
  struct Entry: Sendable, Equatable {
    var host: String
    /// Identifies its network, as distinct from that of another machine or container. Ranks with
    /// the same one reach each other over the loopback.
    var network: String
    var process: ProcessIdentity
    /// 0 if it has no socket.
    var port: UInt16
    var addresses: [SIMD4<UInt8>]

    /// One line of fields; the last is the name of the host, which may contain any character.
    var text: String {
      let addresses = addresses.map { "\($0.x).\($0.y).\($0.z).\($0.w)" }.joined(separator: ",")
      return "\(process.number) \(process.start) \(port) \(network) \(addresses);\(host)"
    }

    init(
      host: String, network: String = "", process: ProcessIdentity, port: UInt16,
      addresses: [SIMD4<UInt8>]
    ) {
      self.host = host
      self.network = network.isEmpty ? "-" : network
      self.process = process
      self.port = port
      self.addresses = addresses
    }

    init?(_ text: String) {
      let parts = text.split(separator: ";", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      let fields = parts[0].split(separator: " ")
      guard fields.count >= 4, let number = Int32(fields[0]), let start = UInt64(fields[1]),
        let port = UInt16(fields[2])
      else { return nil }
      host = String(parts[1])
      process = ProcessIdentity(number: number, start: start)
      self.port = port
      network = String(fields[3])
      addresses = (fields.count > 4 ? fields[4].split(separator: ",") : []).compactMap {
        let bytes = $0.split(separator: ".").compactMap { UInt8($0) }
        return bytes.count == 4 ? SIMD4(bytes[0], bytes[1], bytes[2], bytes[3]) : nil
      }
    }
  }

  let rank: Int
  let entries: [Entry]
  /// The other ranks of this host whose processes can be seen from here.
  let visible: Set<Int>
  /// 128 random bits that only the ranks of this job know.
  let key: (UInt64, UInt64)
  /// All addresses of this rank's machine; its entry may have only the one that it listens on.
  private let ownAddresses: [SIMD4<UInt8>]

  var hosts: [String] { entries.map(\.host) }

  /// - Parameter ownAddresses: the addresses of this rank's machine; nil uses those of its entry
  init(
    rank: Int, entries: [Entry], key: (UInt64, UInt64), ownAddresses: [SIMD4<UInt8>]? = nil
  ) {
    self.rank = rank
    self.entries = entries
    self.key = key
    let mine = entries[rank]
    self.ownAddresses = ownAddresses ?? mine.addresses
    visible = Set(
      entries.indices.filter {
        $0 != rank && entries[$0].host == mine.host && entries[$0].process.isAlive
      })
  }

  /// Exchanges the addresses of all ranks, first without and then with a socket, because where to
  /// open it depends on where the others are. Every rank calls this.
  ///
  /// - Returns: the directory, and the socket; nil if the system refuses one
  static func agree(
    _ communicator: Communicator
  ) throws(MPIError) -> (directory: PeerDirectory, socket: DatagramSocket?) {
    var mine = Entry(
      host: Environment.processorName, network: ownNetwork, process: .current, port: 0,
      addresses: NetworkInterfaces.addresses)
    let ownAddresses = mine.addresses
    let machines = try exchange(mine, communicator)
    let own = address(
      of: communicator.rank, in: machines, source: NetworkInterfaces.source(towards:))
    // An address can disappear between the two exchanges: then listen on all of them.
    let socket = DatagramSocket(at: own ?? .zero) ?? DatagramSocket()
    mine.port = socket?.port ?? 0
    if let own { mine.addresses = [own] }
    let key = (
      try communicator.broadcast(UInt64.random(in: .min ... .max)),
      try communicator.broadcast(UInt64.random(in: .min ... .max))
    )
    let entries = try exchange(mine, communicator)
    let directory = PeerDirectory(
      rank: communicator.rank, entries: entries, key: key, ownAddresses: ownAddresses)
    return (directory, socket)
  }

  private static func exchange(
    _ mine: Entry, _ communicator: Communicator
  ) throws(MPIError) -> [Entry] {
    let texts = try communicator.allgather(Array(mine.text.utf8))
    var entries: [Entry] = []
    for text in texts {
      // A rank of the same program wrote it, so it can be parsed.
      entries.append(Entry(String(decoding: text, as: UTF8.self)) ?? mine)
    }
    return entries
  }

  /// The single address at which a rank receives: the loopback if all ranks are on its machine, or
  /// the address from which it would send to the others. Nil if these are several addresses.
  ///
  /// - Parameter source: the own address from which this rank would send to another
  static func address(
    of rank: Int, in entries: [Entry], source: (SIMD4<UInt8>) -> SIMD4<UInt8>?
  ) -> SIMD4<UInt8>? {
    let mine = entries[rank]
    let others = entries.filter { !isOnSameMachine($0, mine) }
    if others.isEmpty { return DatagramAddress.loopback }
    let all = Set(others.flatMap(\.addresses)).subtracting(mine.addresses)
    let sources = Set(all.compactMap(source))
    return sources.count == 1 ? sources.first : nil
  }

  private static func isOnSameMachine(_ a: Entry, _ b: Entry) -> Bool {
    a.network == b.network && a.host == b.host
  }

  /// The boot of this machine and the network namespace of this process, if the system reports
  /// them.
  private static var ownNetwork: String {
    let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
    let share = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    return (String(decoding: boot, as: UTF8.self) + (share ?? "")).filter {
      $0.isLetter || $0.isNumber || $0 == "-"
    }
  }

  /// The addresses for a rank's heartbeats until the first one from it arrives: a machine has
  /// several addresses, and not all can be reached from here. An address that this machine also
  /// has, such as that of a container bridge, does not lead to the rank.
  func addresses(of peer: Int) -> [DatagramAddress] {
    let (entry, mine) = (entries[peer], entries[rank])
    guard entry.port != 0 else { return [] }
    let isNear = Self.isOnSameMachine(entry, mine)
    let reachable =
      isNear ? entry.addresses : entry.addresses.filter { !ownAddresses.contains($0) }
    let local = isNear && entry.addresses.count != 1 ? [DatagramAddress.loopback] : []
    return (local + reachable).map { DatagramAddress(host: $0, port: entry.port) }
  }

  /// Whether heartbeats for a rank may go to the sender of one of its own: only to an address and
  /// port that the rank itself has given. An attacker on the network can forward a datagram with a
  /// valid tag from another address.
  func isAddress(_ sender: DatagramAddress, of peer: Int) -> Bool {
    addresses(of: peer).contains(sender)
  }
}
