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

  static let hasPython: Bool = {
    (try? Places.withTemporaryFolder { try Program.python("pass", in: $0) })?.status == 0
  }()
}
