// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation

/// Serves one page to the browsers of this machine.
///
///     let server = PageServer(port: 8080, policy: policy) { makeHTML() }
///     try await server.run { port in print("http://127.0.0.1:\(port)") }
///
/// It listens on 127.0.0.1 only, answers GET of / only, and has nothing but the page. A page of
/// another site can make a browser send requests here, and its host name may be made to mean
/// 127.0.0.1 (DNS rebinding); so a request must name this machine in its Host header, and what is
/// served may not be framed or read by other sites.
///
/// It is the only importer of FlyingFox.
public final class PageServer: Sendable {
  private let server: HTTPServer
  private let port: UInt16

  /// - Parameters:
  ///   - port: 0 takes any free port
  ///   - policy: the page's Content-Security-Policy
  ///   - page: makes the page, as HTML; called for each request, perhaps by several threads
  /// - Throws: `PageServerError` if there is no IPv4
  public init(
    port: UInt16, policy: String, _ page: @escaping @Sendable () throws -> String
  ) throws(PageServerError) {
    self.port = port
    do {
      server = HTTPServer(
        address: try .inet(ip4: "127.0.0.1", port: port), logger: .disabled,
        handler: ClosureHTTPHandler { Self.answer($0, policy: policy, page) })
    } catch {
      throw PageServerError(port, error)
    }
  }

  /// Serves until `stop()`.
  ///
  /// - Parameter isListening: called once, with the port
  /// - Throws: `PageServerError` if the port cannot be used
  public func run(_ isListening: @escaping @Sendable (UInt16) -> Void) async throws(PageServerError)
  {
    let (server, wanted) = (server, port)
    let announcement = Task {
      try await server.waitUntilListening()
      var port = wanted
      if case .ip4(_, let given)? = await server.listeningAddress { port = given }
      isListening(port)
    }
    do {
      defer { announcement.cancel() }
      try await server.run()
    } catch SocketError.disconnected {
      return  // by `stop()`
    } catch is CancellationError {
      return
    } catch {
      throw PageServerError(port, error)
    }
  }

  /// Ends `run`. Answers that are being sent get a second.
  public func stop() async { await server.stop(timeout: 1) }

  // MARK: Answers

  static func answer(
    _ request: HTTPRequest, policy: String, _ page: @Sendable () throws -> String
  ) -> HTTPResponse {
    guard isOwn(host: request.headers[.host]) else {
      return text(.forbidden, "This page is served to http://127.0.0.1 and http://localhost only.")
    }
    guard request.path == "/" else { return text(.notFound, "There is only one page, /.") }
    guard request.method == .GET else {
      var answer = text(.methodNotAllowed, "The page can only be read.")
      answer.headers[HTTPHeader("Allow")] = "GET"
      return answer
    }
    do {
      return response(
        .ok, "text/html; charset=utf-8", try page(), policy: policy + "; frame-ancestors 'none'")
    } catch {
      return text(.internalServerError, String(describing: error))
    }
  }

  /// Whether a Host header names this machine, with any port: the port of a tunnel (`ssh -L`) is
  /// another one.
  static func isOwn(host: String?) -> Bool {
    guard var name = host?.lowercased() else { return false }
    if let colon = name.lastIndex(of: ":") {
      let digits = name[name.index(after: colon)...]
      guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
      name = String(name[..<colon])
    }
    return name == "localhost" || name == "127.0.0.1"
  }

  private static func text(_ status: HTTPStatusCode, _ line: String) -> HTTPResponse {
    response(status, "text/plain; charset=utf-8", line + "\n", policy: "default-src 'none'")
  }

  private static func response(
    _ status: HTTPStatusCode, _ type: String, _ body: String, policy: String
  ) -> HTTPResponse {
    HTTPResponse(
      statusCode: status,
      headers: [
        .contentType: type, .cacheControl: "no-store",
        HTTPHeader("Content-Security-Policy"): policy,
        HTTPHeader("X-Content-Type-Options"): "nosniff",
        HTTPHeader("Referrer-Policy"): "no-referrer",
        HTTPHeader("Cross-Origin-Resource-Policy"): "same-origin",
      ],
      body: Data(body.utf8))
  }
}

/// A port that cannot be served on.
public struct PageServerError: Error, CustomStringConvertible {
  public let description: String

  init(_ port: UInt16, _ error: any Error) {
    guard case SocketError.failed(_, let number, let message) = error else {
      description = "port \(port): \(error)"
      return
    }
    description =
      switch number {
      case EADDRINUSE: "port \(port) is taken; choose another, or 0 for any free one"
      case EACCES: "port \(port) is for the system; choose one from 1024 on, or 0 for any free one"
      default: "port \(port): \(message)"
      }
  }
}
