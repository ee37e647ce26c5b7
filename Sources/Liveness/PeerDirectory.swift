import Datagrams
import Foundation
import MPI

/// Who the ranks are and where their heartbeats go.
struct PeerDirectory: Sendable {
  struct Entry: Sendable, Equatable {
    var host: String
    /// What tells its network from that of another machine or container: ranks with the same one
    /// reach each other at the loopback.
    var network: String
    var process: ProcessIdentity
    /// 0 where it has no socket.
    var port: UInt16
    var addresses: [SIMD4<UInt8>]

    /// One line of fields; the name of the host, which may hold anything, is the last.
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
  /// The ranks of this host whose processes can be seen from here, this rank left out.
  let visible: Set<Int>
  /// 128 random bits that only the ranks of this job know.
  let key: (UInt64, UInt64)
  /// All addresses of this rank's machine; its entry may have only the one that it listens at.
  private let ownAddresses: [SIMD4<UInt8>]

  var hosts: [String] { entries.map(\.host) }

  /// - Parameter ownAddresses: those of this rank's machine; nil takes those of its entry
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

  /// Lets all ranks tell one another where they are, first without and then with a socket: where to
  /// open it depends on where the others are. Every rank calls this.
  ///
  /// - Returns: the directory, and the socket; nil where the system has none to give
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
    // An address can be lost between the two: all of them are better than none.
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
      // What a rank of the same program wrote can be read.
      entries.append(Entry(String(decoding: text, as: UTF8.self)) ?? mine)
    }
    return entries
  }

  /// The one address at which a rank is to receive: the loopback where all ranks are on its machine,
  /// or the address from which it would send to the others. Nil where that is not one alone.
  ///
  /// - Parameter source: the own address from which one would send to another
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

  /// The start of this machine's system and this process's share of its network, where the system
  /// tells them.
  private static var ownNetwork: String {
    let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
    let share = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    return (String(decoding: boot, as: UTF8.self) + (share ?? "")).filter {
      $0.isLetter || $0.isNumber || $0 == "-"
    }
  }

  /// Where a heartbeat for a rank may be sent to, as long as none of its own has come: a machine
  /// has several addresses, and not all can be reached from here. One that this machine has too, as
  /// each has its bridge to containers, leads to others than the rank.
  func addresses(of peer: Int) -> [DatagramAddress] {
    let (entry, mine) = (entries[peer], entries[rank])
    guard entry.port != 0 else { return [] }
    let isNear = Self.isOnSameMachine(entry, mine)
    let reachable =
      isNear ? entry.addresses : entry.addresses.filter { !ownAddresses.contains($0) }
    let local = isNear && entry.addresses.count != 1 ? [DatagramAddress.loopback] : []
    return (local + reachable).map { DatagramAddress(host: $0, port: entry.port) }
  }

  /// Whether heartbeats for a rank may go to where one of its own came from: only to an address and
  /// port that the rank itself has given. Somebody on the way can send on what he has heard, with a
  /// right tag, from an address of his own.
  func isAddress(_ sender: DatagramAddress, of peer: Int) -> Bool {
    addresses(of: peer).contains(sender)
  }
}
