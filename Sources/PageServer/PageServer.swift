// SPDX-License-Identifier: Apache-2.0

import FlyingFox
import FlyingSocks
import Foundation
import Synchronization

/// Serves one page to the browsers of this machine.
///
///     let server = PageServer(port: 8080, policy: policy) { makeHTML() }
///     try await server.run { port in print("http://127.0.0.1:\(port)") }
///
/// It listens only on 127.0.0.1, and answers only GET requests for /. A page of another site can
/// make a browser send requests here, and that site's host name may resolve to 127.0.0.1 (DNS
/// rebinding). So a request must name this machine in its Host header, and other sites may not
/// frame or read the response.
///
/// Any user of this machine can open more connections than the process may have open files. The
/// server then closes all of them, waits a little, and listens on the same port again.
///
/// It is the only importer of FlyingFox.
public final class PageServer: Sendable {
  private let address: sockaddr_in
  private let handler: ClosureHTTPHandler
  private let wanted: UInt16
  private let state = Mutex(State())

  private struct State {
    var server: HTTPServer?
    var port: UInt16?
    var isStopped = false
  }

  /// - Parameters:
  ///   - port: 0 takes any free port
  ///   - policy: the page's Content-Security-Policy
  ///   - page: makes the page, as HTML; called for each request, perhaps by several threads
  /// - Throws: `PageServerError` if there is no IPv4
  public init(
    port: UInt16, policy: String, _ page: @escaping @Sendable () throws -> String
  ) throws(PageServerError) {
    wanted = port
    handler = ClosureHTTPHandler { Self.answer($0, policy: policy, page) }
    do {
      address = try .inet(ip4: "127.0.0.1", port: port)
    } catch {
      throw PageServerError(port, error)
    }
  }

  /// Serves until `stop()`.
  ///
  /// - Parameters:
  ///   - isListening: called once, with the port
  ///   - isShort: called when it had to close its connections, with a line that says why
  /// - Throws: `PageServerError` if the port cannot be used
  public func run(
    _ isListening: @escaping @Sendable (UInt16) -> Void,
    isShort: @Sendable (String) -> Void = { _ in }
  ) async throws(PageServerError) {
    var pause = Duration.milliseconds(100)
    while !state.withLock({ $0.isStopped }) {
      let began = ContinuousClock().now
      do {
        return try await serve(isListening)
      } catch SocketError.disconnected {
        return  // by `stop()`
      } catch is CancellationError {
        return
      } catch {
        let port = state.withLock { $0.port }
        guard let port, Self.passes(error) else { throw PageServerError(port ?? wanted, error) }
        isShort("\(PageServerError(port, error)); closed all connections and will listen again")
      }
      // Each time costs a descriptor, which FlyingFox does not close; so it must not be often.
      if began.duration(to: ContinuousClock().now) > .seconds(60) { pause = .milliseconds(100) }
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .seconds(10))
    }
  }

  /// Listens on the wanted port the first time and on the given one from then on.
  private func serve(_ isListening: @escaping @Sendable (UInt16) -> Void) async throws {
    var address = address
    if let port = state.withLock({ $0.port }) { address.sin_port = port.bigEndian }
    let server = HTTPServer(address: address, logger: .disabled, handler: handler)
    state.withLock { $0.server = server }
    let announcement = Task {
      try await server.waitUntilListening()
      guard case .ip4(_, let given)? = await server.listeningAddress else { return }
      let (isFirst, isStopped) = state.withLock { state in
        defer { state.port = given }
        return (state.port == nil, state.isStopped)
      }
      if isStopped { return await server.stop(timeout: 1) }
      if isFirst { isListening(given) }
    }
    defer { announcement.cancel() }
    try await server.run()
  }

  /// Whether a failure of a port that was listened on may be over in a moment.
  private static func passes(_ error: any Error) -> Bool {
    guard case SocketError.failed(_, let number, _) = error else { return false }
    return [EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EPROTO].contains(number)
  }

  /// Ends `run`. Answers that are being sent get a second.
  public func stop() async {
    let server = state.withLock { state in
      state.isStopped = true
      return state.server
    }
    await server?.stop(timeout: 1)
  }

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
