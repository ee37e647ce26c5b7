// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

@Suite struct ArchitectureTests {
  /// The picture in the documentation has a box for every target, and no other.
  @Test func thePictureShowsEveryTarget() throws {
    let manifest = try String(contentsOfFile: Places.package + "/Package.swift", encoding: .utf8)
    let picture = try String(
      contentsOfFile: Places.package
        + "/Sources/Training/Training.docc/Resources/architecture.svg", encoding: .utf8)
    var targets: Set<String> = ["KernelsSIMD"]  // stands for the modules made of its sources
    let declaration = /\.(?:target|executableTarget|systemLibrary)\(\s*name: "([^"]+)"/
    for match in manifest.matches(of: declaration) { targets.insert(String(match.1)) }
    // What tests are made of is not drawn.
    targets.subtract(["TestSupport", "mpi-checks", "fuzz"])
    let boxes = Set(picture.matches(of: /<text [^>]*>([^<]+)<\/text>/).map { String($0.1) })
    #expect(boxes == targets, "launch/architecture draws it again")
  }
}
