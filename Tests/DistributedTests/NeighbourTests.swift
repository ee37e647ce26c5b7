// SPDX-License-Identifier: Apache-2.0

import Datagrams
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Datagrams from other users to the ports of a job, and jobs that get no port.
@Suite(.serialized) struct NeighbourTests {
  /// The UDP sockets of a process, as addresses and ports in hexadecimal digits: "0100007F:D431".
  private static func sockets(of process: RunningProcess) throws -> [String] {
    let folder = "/proc/\(process.number)/fd"
    let links = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
    }
    let table = FileManager.default.contents(atPath: "/proc/\(process.number)/net/udp") ?? Data()
    return String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst().compactMap {
      let fields = $0.split(separator: " ")
      return fields.count > 9 && links.contains("socket:[\(fields[9])]") ? String(fields[1]) : nil
    }
  }

  /// On one host no port is open to other hosts. Datagrams from another user of the host end no
  /// job: noise, and messages that versions without tags took for the last one of a rank.
  @Test func aNeighbourEndsNoJob() throws {
    try DeadlineTests.run(
      meanwhile: { folder in
        try DeadlineTests.waitForSteps(in: folder)
        let ranks = RunningProcess.all(in: folder).filter { $0.rank != nil }
        let sockets = try ranks.flatMap { try Self.sockets(of: $0) }
        #expect(sockets.count >= 3)
        #expect(sockets.allSatisfy { $0.hasPrefix("0100007F:") }, "\(sockets)")
        let own = try #require(DatagramSocket())
        var random = SystemRandomNumberGenerator()
        for socket in sockets {
          let port = try #require(UInt16(socket.suffix(4), radix: 16))
          let address = DatagramAddress(host: DatagramAddress.loopback, port: port)
          for number in 0..<2000 {
            var bytes = (0..<(number % 2 == 0 ? 56 : number % 80)).map { _ in
              UInt8.random(in: .min ... .max, using: &random)
            }
            if bytes.count == 56 {
              // A high count, a rank, no time, and a culprit: all but the tag.
              for word in 0..<6 {
                bytes.replaceSubrange(8 * word..<8 * word + 8, with: repeatElement(0, count: 8))
              }
              (bytes[7], bytes[8], bytes[40]) = (1, UInt8(number % 3), UInt8(number / 2 % 3))
            }
            own.send(bytes, to: address)
          }
        }
        Thread.sleep(forTimeInterval: 1.5)
        try DeadlineTests.signal(SIGUSR2, rank: nil, in: folder)
      }) { outcome in
        #expect(outcome.status == 75, "\(outcome.errors)")
        #expect(!outcome.errors.contains("gave up on"))
      }
  }

  /// Without a UDP port there is a warning, and the limit of the rank's own wait holds as usual.
  @Test(.enabled(if: Preload.isAvailable, "\(Preload.reason)")) func aJobWithoutPortsStillEnds()
    throws
  {
    let source = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <sys/socket.h>
      int bind(int file, const struct sockaddr *name, socklen_t length) {
        int kind = 0;
        socklen_t size = sizeof kind;
        getsockopt(file, SOL_SOCKET, SO_TYPE, &kind, &size);
        if (kind == SOCK_DGRAM && name->sa_family == AF_INET) {
          errno = EADDRINUSE;
          return -1;
        }
        int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
        return next(file, name, length);
      }
      """
    try Places.withTemporaryFolder { folder in
      let library = try Preload.library(source, in: folder)
      let outcome = try Program.run(
        DeadlineTests.arguments, ranks: 2, in: folder,
        environment: [
          "LD_PRELOAD": library, "MOMENTUM_DIST_FAILPOINTS": "data.read=delay:100@1#3",
        ], deadline: 60)
      #expect(outcome.status == 76, "\(outcome.errors)")
      #expect(outcome.errors.contains("has no UDP socket for its heartbeats"))
      #expect(outcome.errors.contains("nothing was ever heard from rank 1"))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/run/peer-lost"))
      DeadlineTests.expectNoProcess(in: folder)
    }
  }
}
