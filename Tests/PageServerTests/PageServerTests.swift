// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import Foundation
import Testing

@testable import PageServer

/// What is answered; `WatchTests` fetch a page over HTTP from the program itself.
@Suite struct PageServerTests {
  private func answer(
    _ path: String, host: String? = "127.0.0.1", method: HTTPMethod = .GET,
    page: @Sendable () throws -> String = { "<p>é</p>" }
  ) async throws -> (status: Int, headers: HTTPHeaders, body: String) {
    let request = HTTPRequest(
      method: method, version: .http11, path: path, query: [],
      headers: host.map { [.host: $0] } ?? [:], body: HTTPBodySequence(data: Data()))
    let response = PageServer.answer(request, policy: "default-src 'none'", page)
    return (
      response.statusCode.code, response.headers,
      String(decoding: try await response.bodyData, as: UTF8.self)
    )
  }

  @Test func thePageIsServed() async throws {
    let (status, headers, body) = try await answer("/")
    #expect(status == 200 && body == "<p>é</p>")
    #expect(headers[.contentType] == "text/html; charset=utf-8")
    #expect(headers[.cacheControl] == "no-store")
    #expect(
      headers[HTTPHeader("Content-Security-Policy")] == "default-src 'none'; frame-ancestors 'none'"
    )
    #expect(headers[HTTPHeader("X-Content-Type-Options")] == "nosniff")
  }

  @Test func nothingElseIs() async throws {
    for path in ["/config.yaml", "/../etc/passwd", "/favicon.ico", ""] {
      #expect(try await answer(path).status == 404, "\(path)")
    }
    for method in [HTTPMethod.POST, .DELETE, .PUT] {
      let (status, headers, body) = try await answer("/", method: method)
      #expect(status == 405 && headers[HTTPHeader("Allow")] == "GET" && !body.contains("<p>"))
    }
    for host in ["evil.example", "127.0.0.1.evil.example:80", nil] {
      let (status, _, body) = try await answer("/", host: host)
      #expect(status == 403 && !body.contains("<p>"), "\(host ?? "no host")")
    }
  }

  @Test func aPageThatFailsSaysWhy() async throws {
    struct Failure: Error, CustomStringConvertible { let description = "the run is gone" }
    let (status, headers, body) = try await answer("/") { throw Failure() }
    #expect(status == 500 && body == "the run is gone\n")
    #expect(headers[.contentType] == "text/plain; charset=utf-8")
  }

  @Test func onlyThisMachineIsAHost() {
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:65535"] {
      #expect(PageServer.isOwn(host: host), "\(host)")
    }
    for host in [
      "", ":80", "localhost:", "localhost:x", "localhost.", "a.localhost", "127.0.0.2", "evil",
      "127.0.0.1@evil", "localhost, evil", "localhost:80:80",
    ] {
      #expect(!PageServer.isOwn(host: host), "\(host)")
    }
    #expect(!PageServer.isOwn(host: nil))
  }
}
