// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// launch/install and launch/package, with the program that the tests have built.
@Suite(.serialized) struct InstallTests {
  private static let program = "\(Program.products)/momentum-dist"

  private func expect(
    _ names: [String], below folder: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for name in names {
      let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)")?.count ?? 0
      #expect(bytes > 0, "\(name)", sourceLocation: sourceLocation)
    }
  }

  private static let completions = [
    "share/bash-completion/completions/momentum-dist",
    "share/zsh/site-functions/_momentum-dist",
    "share/fish/vendor_completions.d/momentum-dist.fish",
  ]

  @Test func aFolderOfOnesOwnGetsAll() throws {
    try Places.withTemporaryFolder { folder in
      func install() throws -> Program.Outcome {
        try Program.script(
          "install", ["--prefix", "\(folder)/a b", "--program", Self.program], in: folder)
      }
      let outcome = try install()
      #expect(outcome.status == 0, "\(outcome.errors)")
      let prefix = "\(folder)/a b"
      expect(
        ["bin/momentum-dist", "share/momentum-dist/bin/momentum-dist"] + Self.completions
          + ["configs/mnist-rows.yaml", "launch/supervise", "launch/slurm.sbatch"].map {
            "share/momentum-dist/\($0)"
          }, below: prefix)
      #expect(outcome.output.contains("\(prefix)/bin/momentum-dist"), "\(outcome.output)")
      #expect(
        outcome.output.contains("  export PATH=\"\(prefix)/bin:$PATH\""), "\(outcome.output)")
      // Installs a second time over the first. Then the program runs by its full path and by its
      // name.
      #expect(try install().status == 0)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: "\(prefix)/bin") == ["momentum-dist"])
      let run = try Program.bash(
        """
        cd / && "$1/bin/momentum-dist" --version && PATH="$1/bin:$PATH" && momentum-dist --version
        bash -n "$1/share/bash-completion/completions/momentum-dist"
        "$1/share/momentum-dist/launch/supervise" momentum-dist train --dry-run --output "$2/x"
        """, [prefix, folder], in: folder)
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output.split(separator: "\n").count > 2, "\(run.output)")
    }
  }

  @Test func aFolderThatCannotBeHadIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      try "".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
      for (arguments, status, text) in [
        (["--prefix", "\(folder)/file/x"], 73, "/file/x cannot be made; name another folder"),
        (["--prefix"], 64, "--prefix needs a path"), (["--x"], 64, "there is no option --x"),
        (["--prefix", folder, "--program", "/nowhere"], 66, "/nowhere is not a program"),
      ] as [([String], Int32, String)] {
        let outcome = try Program.script("install", arguments, in: folder)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains("launch/install: "), "\(outcome.errors)")
        #expect(outcome.errors.contains(text), "\(outcome.errors)")
      }
    }
  }

  @Test func theArchiveHasAllThatANodeNeeds() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.script(
        "package", ["--to", "\(folder)/a.tar.gz", "--program", Self.program], in: folder,
        deadline: 300)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let run = try Program.bash(
        """
        set -e
        mkdir node && tar -C node -xzf a.tar.gz && mv node/momentum-dist-* node/x && cd node/x
        bin/momentum-dist --version
        readelf -S bin/momentum-dist | grep -c '\\.debug_info' || true
        mkdir "$PWD/fake" && printf '#!/bin/bash\\necho "$@"\\n' >fake/mpirun && chmod +x fake/mpirun
        unset PROGRAM
        SLURM_NTASKS=2 SLURM_JOB_ID=1 PATH=$PWD/fake:$PATH launch/slurm.sbatch --output run
        """, in: folder)
      let lines = run.output.split(separator: "\n").map(String.init)
      try #require(run.status == 0 && lines.count == 3, "\(run.output) \(run.errors)")
      #expect(lines[1] == "0", "stripped")
      #expect(lines[2].hasSuffix("/launch/../bin/momentum-dist train --output run"), "\(lines[2])")
      let root = "\(folder)/node/x"
      expect(
        Self.completions + [
          "LICENSE", "README.md", "configs/mnist-rows.yaml", "licences/Yams-LICENSE",
          "licences/libyaml-LICENSE", "licences/swift-protobuf-LICENSE.txt",
          "licences/swift-argument-parser-LICENSE.txt", "launch/Containerfile",
          "launch/supervise", "launch/job.bash", "launch/same-bits", "launch/find-program",
          "launch/kubernetes.yaml",
        ], below: root)
      let readme = try String(contentsOfFile: "\(root)/README.md", encoding: .utf8)
      #expect(readme.contains("## Exit statuses"))
      #expect(readme.contains("## Several machines"))
      guard FileManager.default.fileExists(atPath: "/usr/bin/dpkg") else { return }
      let packages = try String(contentsOfFile: "\(root)/packages.txt", encoding: .utf8)
        .split(separator: "\n").map(String.init)
      for stem in ["libopenmpi", "openmpi-bin", "libhdf5", "libopenblas", "libsndfile", "libc6"] {
        #expect(packages.contains { $0.hasPrefix(stem) }, "\(stem): \(packages)")
      }
    }
  }
}
