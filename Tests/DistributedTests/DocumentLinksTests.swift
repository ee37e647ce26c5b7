// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Links between the documents of the package lead to files and headings that exist.
@Suite struct DocumentLinksTests {
  /// A link to a file of the package, from Markdown.
  struct Link: CustomStringConvertible {
    let document: String
    let target: String

    var description: String { "\(document): \(target)" }

    /// The file, relative to the package.
    var path: String {
      let folder = (document as NSString).deletingLastPathComponent as NSString
      let file = target.split(separator: "#", omittingEmptySubsequences: false)[0]
      return file.isEmpty ? document : folder.appendingPathComponent(String(file))
    }
    /// The anchor of a heading, as GitHub names it.
    var anchor: String? {
      target.firstIndex(of: "#").map { String(target[target.index(after: $0)...]) }
    }
  }

  static let top = [
    "README.md", "MANUAL.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md",
    "CHANGELOG.md",
  ]

  private static func text(_ document: String) throws -> String {
    try String(contentsOfFile: "\(Places.package)/\(document)", encoding: .utf8)
  }

  private static func links(_ document: String) throws -> [Link] {
    try text(document).matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }
      .filter { !$0.contains(":") }.map { Link(document: document, target: $0) }
  }

  /// The anchors of a document's headings.
  private static func anchors(_ document: String) throws -> Set<String> {
    let headings = try text(document).matches(of: /(?m)^#+ (.+)$/)
    return Set(
      headings.map { heading in
        heading.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
          .replacing(" ", with: "-")
      })
  }

  /// Whether a document is the page of a module, `X.docc/X.md`.
  private static func isPageOfModule(_ document: String) -> Bool {
    let parts = document.split(separator: "/").suffix(2).map { $0.split(separator: ".")[0] }
    return parts[0] == parts[1]
  }

  @Test(arguments: top + ["Benchmarks/README.md", "Examples/README.md"])
  func everyLinkLeadsSomewhere(document: String) throws {
    for link in try Self.links(document) {
      let exists = FileManager.default.fileExists(atPath: "\(Places.package)/\(link.path)")
      #expect(exists, "\(link)")
      guard exists, let anchor = link.anchor else { continue }
      #expect(try Self.anchors(link.path).contains(anchor), "\(link)")
    }
  }

  /// A reader finds every article one click from MANUAL.md, which is one click from README.md.
  @Test func theManualListsEveryArticle() throws {
    #expect(try Self.links("README.md").contains { $0.path == "MANUAL.md" })
    let listed = Set(try Self.links("MANUAL.md").map(\.path))
    // The page of Training lists the articles in the site, and SECURITY.md is the whole article.
    let left: Set = ["Training.md", "Security.md"]
    for document in DocumentedCommandsTests.documents where document.contains(".docc/") {
      guard !left.contains((document as NSString).lastPathComponent) else { continue }
      // A page without headings has only a sentence about its module.
      guard try Self.text(document).contains("\n## ") || !Self.isPageOfModule(document) else {
        continue
      }
      #expect(listed.contains(document), "\(document)")
    }
  }

  /// The tables of README.md and the article "Results" are those of the files in Benchmarks/results.
  @Test(.enabled(if: hasPython, "needs python3, which is not here"))
  func theTablesAreUpToDate() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.bash(
        "\"$1/Benchmarks/make-tables\" --check", [Places.package], in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
  }

  /// launch/check-comments finds what has no comment, and knows what needs none.
  @Test(.enabled(if: hasPython, "needs python3, which is not here"))
  func declarationsWithoutACommentAreFound() throws {
    try Places.withTemporaryFolder { folder in
      let path = "\(folder)/Sample.swift"
      let text = """
        // no header
        public struct Sample: CustomStringConvertible, Shape {
          public var size: Int
          public init(size: Int) { self.size = size }
          public init(other: Int) { size = other }
          public var description: String { "{" }
          public func area() -> Int { size * size }
          func hidden() {}
          /// Has a comment.
          @inlinable
          public func twice() -> Int { 2 * size }
        }

        /// A shape.
        public protocol Shape {
          /// In square metres.
          func area() -> Int
          func name() -> String
        }

        /// A color.
        public enum Color {
          case red, green
          case blue
        }

        extension Color {
          package static func random() -> Color { .red }
        }

        /// Two properties.
        public struct Pair {
          /// Of the hidden one.
          @usableFromInline let hidden: Int
          public let seen: Int
        }
        """
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let outcome = try Program.script("check-comments", [path], in: folder)
      #expect(outcome.status == 1, "\(outcome.errors)")
      let expected = [
        "1: has no SPDX-License-Identifier: Apache-2.0",
        "2: public struct Sample: CustomStringConvertible, Shape {", "3: public var size: Int",
        "5: public init(other: Int) { size = other }", "18: func name() -> String",
        "24: case blue", "28: package static func random() -> Color { .red }",
        "35: public let seen: Int",
      ]
      #expect(outcome.output == expected.map { "\(path):\($0)\n" }.joined())
    }
  }

  static let hasPython: Bool = {
    (try? Places.withTemporaryFolder { try Program.python("pass", in: $0) })?.status == 0
  }()
}
