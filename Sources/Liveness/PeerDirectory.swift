import Datagrams
import MPI

/// Who the ranks are and where their heartbeats go.
struct PeerDirectory: Sendable {
  struct Entry: Sendable, Equatable {
    var host: String
    var process: ProcessIdentity
    var port: UInt16
    var addresses: [SIMD4<UInt8>]

    /// One line of fields; the name of the host, which may hold anything, is the last.
    var text: String {
      let addresses = addresses.map { "\($0.x).\($0.y).\($0.z).\($0.w)" }.joined(separator: ",")
      return "\(process.number) \(process.start) \(port) \(addresses);\(host)"
    }

    init(host: String, process: ProcessIdentity, port: UInt16, addresses: [SIMD4<UInt8>]) {
      self.host = host
      self.process = process
      self.port = port
      self.addresses = addresses
    }

    init?(_ text: String) {
      let parts = text.split(separator: ";", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      let fields = parts[0].split(separator: " ")
      guard fields.count >= 3, let number = Int32(fields[0]), let start = UInt64(fields[1]),
        let port = UInt16(fields[2])
      else { return nil }
      host = String(parts[1])
      process = ProcessIdentity(number: number, start: start)
      self.port = port
      addresses = (fields.count > 3 ? fields[3].split(separator: ",") : []).compactMap {
        let bytes = $0.split(separator: ".").compactMap { UInt8($0) }
        return bytes.count == 4 ? SIMD4(bytes[0], bytes[1], bytes[2], bytes[3]) : nil
      }
    }
  }

  /// A number that no other job has.
  let job: UInt64
  let rank: Int
  let entries: [Entry]
  /// The ranks of this host whose processes can be seen from here, this rank left out.
  let visible: Set<Int>

  var hosts: [String] { entries.map(\.host) }

  /// Lets all ranks tell one another where they are. Every rank calls this.
  init(_ communicator: Communicator, port: UInt16) throws(MPIError) {
    let mine = Entry(
      host: Environment.processorName, process: .current, port: port,
      addresses: NetworkInterfaces.addresses)
    job = try communicator.broadcast(UInt64.random(in: 1 ... .max))
    rank = communicator.rank
    let texts = try communicator.allgather(Array(mine.text.utf8))
    var entries: [Entry] = []
    for text in texts {
      // What a rank of the same program wrote can be read.
      entries.append(Entry(String(decoding: text, as: UTF8.self)) ?? mine)
    }
    self.entries = entries
    visible = Set(
      entries.indices.filter { [rank] in
        $0 != rank && entries[$0].host == mine.host && entries[$0].process.isAlive
      })
  }

  /// Where a heartbeat for a rank may be sent to, as long as none of its own has come: a machine
  /// has several addresses, and not all can be reached from here.
  func addresses(of peer: Int) -> [DatagramAddress] {
    let entry = entries[peer]
    let local = entry.host == entries[rank].host ? [DatagramAddress.loopback] : []
    return (local + entry.addresses).map { DatagramAddress(host: $0, port: entry.port) }
  }
}
