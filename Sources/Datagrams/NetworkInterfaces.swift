// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The addresses under which others may reach this machine.
public enum NetworkInterfaces {
  /// The IPv4 addresses of all interfaces that are up, except the loopback.
  ///
  /// The corresponding C function is `getifaddrs`.
  public static var addresses: [SIMD4<UInt8>] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var result: [SIMD4<UInt8>] = []
    for interface in sequence(first: first, next: { $0?.pointee.ifa_next }) {
      guard let interface = interface?.pointee, let name = interface.ifa_addr,
        name.pointee.sa_family == sa_family_t(AF_INET),
        interface.ifa_flags & UInt32(IFF_UP) != 0,
        interface.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      let address = name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        unsafeBitCast($0.pointee.sin_addr.s_addr, to: SIMD4<UInt8>.self)
      }
      result.append(address)
    }
    return result
  }

  /// The address of this machine from which it would send to another machine; nil if there is no
  /// route. Nothing is sent.
  ///
  /// The corresponding C functions are `connect` and `getsockname`, of a UDP socket.
  public static func source(towards host: SIMD4<UInt8>) -> SIMD4<UInt8>? {
    let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var name = sockaddr_in(DatagramAddress(host: host, port: 9))
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isKnown = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    return isKnown ? name.address.host : nil
  }
}
