// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// An end point of datagrams: an IPv4 address and a UDP port.
public struct DatagramAddress: Hashable, Sendable {
  /// The four bytes of the address, as in 127.0.0.1.
  public var host: SIMD4<UInt8>
  /// The UDP port, in the byte order of the machine.
  public var port: UInt16

  public init(host: SIMD4<UInt8>, port: UInt16) {
    self.host = host
    self.port = port
  }

  public static func == (a: Self, b: Self) -> Bool { a.host == b.host && a.port == b.port }

  /// The loopback address of this machine.
  public static let loopback = SIMD4<UInt8>(127, 0, 0, 1)
}

/// A UDP socket at one address of this machine, or at all of them.
///
/// Datagrams may be lost without notice; nothing here waits for a receiver.
public final class DatagramSocket: Sendable {
  private let descriptor: CInt
  /// The port that the system chose.
  public let port: UInt16

  /// Opens a socket. Nil if the system refuses one.
  ///
  /// - Parameter host: the address of this machine to receive at; 0.0.0.0 is all of them
  ///
  /// The corresponding C functions are `socket` and `bind`.
  public init?(at host: SIMD4<UInt8> = .zero) {
    let kind = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { return nil }
    var name = sockaddr_in(DatagramAddress(host: host, port: 0))
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    port = UInt16(bigEndian: name.sin_port)
  }

  deinit { close(descriptor) }

  /// Sends a datagram; one that cannot be sent is dropped.
  ///
  /// The corresponding C function is `sendto`.
  public func send(_ bytes: [UInt8], to address: DatagramAddress) {
    var name = sockaddr_in(address)
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(
          descriptor, bytes, bytes.count, CInt(MSG_DONTWAIT), $0,
          socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The next datagram, cut at `capacity` bytes, and its sender; nil if none comes within
  /// `milliseconds`.
  ///
  /// The corresponding C functions are `poll` and `recvfrom`.
  public func receive(
    capacity: Int, milliseconds: Int
  ) -> (bytes: [UInt8], sender: DatagramAddress)? {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wanted, 1, CInt(milliseconds)) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: capacity)
    var name = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        recvfrom(descriptor, &bytes, capacity, CInt(MSG_DONTWAIT), $0, &length)
      }
    }
    guard count >= 0 else { return nil }
    return (Array(bytes.prefix(count)), name.address)
  }
}

extension sockaddr_in {
  init(_ address: DatagramAddress) {
    self.init()
    sin_family = sa_family_t(AF_INET)
    sin_port = address.port.bigEndian
    sin_addr.s_addr = unsafeBitCast(address.host, to: UInt32.self)
  }

  var address: DatagramAddress {
    DatagramAddress(
      host: unsafeBitCast(sin_addr.s_addr, to: SIMD4<UInt8>.self),
      port: UInt16(bigEndian: sin_port))
  }
}
