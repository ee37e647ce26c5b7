// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// Commands and flags that people type, each answered in one line with what to type.
@Suite struct FamiliarWordsTests {
  static let cases: [(typed: [String], answer: String)] = [
    (["tain"], "type `momentum-dist train`"),
    (["fit", "--set", "epochs=1"], "type `momentum-dist train --set epochs=1`"),
    (["test", "runs/a"], "type `momentum-dist evaluate runs/a`"),
    (["evalute", "runs/a"], "type `momentum-dist evaluate runs/a`"),
    (["infer", "runs/a", "x.csv"], "type `momentum-dist predict runs/a x.csv`"),
    (["plot", "runs/a"], "type `momentum-dist report runs/a`"),
    (["resume", "runs/a"], "type `momentum-dist train --resume runs/a`"),
    (["x.yaml"], "type `momentum-dist train --config x.yaml`"),
    (["env"], "type `momentum-dist doctor`"),
    (
      ["predict", "runs/a"],
      "name the file of the sequences: `momentum-dist predict runs/a FILE`"
    ),
    (["train", "x.yaml"], "type --config x.yaml"),
    (["train", "epochs=3"], "type --set epochs=3"),
    (["train", "d.h5"], "type --set dataset.file=d.h5"),
    (["train", "d.csv"], "make a data set of it with `momentum-dist prepare csv --from d.csv"),
    (["train", "--epochs", "3"], "it is a key: type --set epochs=3"),
    (["train", "--epochs=3"], "it is a key: type --set epochs=3"),
    (["train", "--lr", "0.1"], "it is a key: type --set optimizer.learning_rate=0.1"),
    (["train", "--batch-size", "32"], "it is a key: type --set batch_size=32"),
    (["train", "--hidden-size", "64"], "it is a key: type --set model.hidden_size=64"),
    (["train", "--num_layers", "2"], "it is a key: type --set model.layers=2"),
    (["train", "--seed", "7"], "it is a key: type --set seed=7"),
    (
      ["train", "--set", "epochs=1", "--optimizer", "adam"],
      "it is a key: type --set optimizer.name=adam"
    ),
    (["train", "--gpus", "2"], "it trains on CPUs: start ranks with `mpirun -np N"),
    (["train", "--fp16"], "it calculates in float32 throughout"),
    (["train", "--save-dir", "out"], "--output RUN names the run's folder"),
    (["train", "--ckpt_path", "a"], "--resume RUN continues from a run's newest checkpoint"),
    (["train", "model.hidden=64"], "type --set model.hidden_size=64"),
    (["train", "--set", "epochs", "3"], "type --set epochs=3"),
    (["train", "--name", "a"], "--output runs/NAME names the run's folder"),
    (["train", "--dropout", "0.5"], "recurrent layers on sequences have no dropout"),
    (["train", "--betas", "0.9"], "optimizer.beta1 and optimizer.beta2 are two keys"),
    (["train", "d.mat"], "make a data set of it with `momentum-dist prepare arrays --from d.mat"),
    (["sweep"], "type `momentum-dist train --sweep KEY=A,B,C`"),
    (["version"], "type `momentum-dist --version`"),
    (["evaluate", "--run", "runs/a"], "type `momentum-dist evaluate runs/a`"),
    (["evaluate", "--checkpoint", "runs/a"], "type `momentum-dist evaluate runs/a`"),
    (["evaluate", "runs/a", "d.h5"], "type `momentum-dist evaluate runs/a --file d.h5`"),
    (["predict", "runs/a", "--file", "x.npy"], "type `momentum-dist predict RUN x.npy`"),
    (["predict", "runs/a", "x.npy", "--output", "p.csv"], "type --to p.csv"),
    (["predict", "runs/a", "x.npy", "-o", "p.csv"], "type --to p.csv"),
    (["report", "runs/a", "--out=a.html"], "type --to a.html"),
    (["export", "runs/a"], "type `momentum-dist export runs/a --to a.safetensors`"),
    (["export", "runs/a", "a.pt"], "type `momentum-dist export runs/a --to a.safetensors`"),
    (["export", "runs/a", "--format", "onnx"], "type `momentum-dist export runs/a --to a.onnx`"),
    (
      ["export", "runs/a", "--checkpoint=best", "--format=card"],
      "type `momentum-dist export runs/a --checkpoint best --to a.md`"
    ),
    (["export", "runs/a", "--onnx"], "type `momentum-dist export runs/a --to a.onnx`"),
    (["export", "runs/a", "-o", "b.onnx"], "type `momentum-dist export runs/a --to b.onnx`"),
    (["export", "runs/a", "b.onnx"], "type `momentum-dist export runs/a --to b.onnx`"),
    (
      ["export", "runs/a", "--to", "b.pt", "--format", "onnx"],
      "the ending of the file is its format: type --to b.onnx"
    ),
    (
      ["export", "--format", "onnx"],
      "name a run: `momentum-dist export RUN --to FILE.onnx`; runs/ has none, `momentum-dist train`"
    ),
    (["report"], "name a run: `momentum-dist report RUN`; runs/ has none"),
    (["predict"], "name a run: `momentum-dist predict RUN FILE`; runs/ has none"),
    (["generate", "runs/a"], "type `momentum-dist generate runs/a --prompt TEXT`"),
    (["generate"], "name a run: `momentum-dist generate RUN --prompt TEXT`"),
    (["report", "--to", "a.html"], "name a run: `momentum-dist report RUN --to a.html`"),
    (["prepare", "x.csv"], "type `momentum-dist prepare csv --from x.csv --to x.h5`"),
    (["prepare", "x.h5"], "type `momentum-dist prepare arrays --from x.h5 --to x-data.h5`"),
    (["prepare", "csv", "x.csv"], "type `momentum-dist prepare csv --from x.csv --to x.h5`"),
    (
      ["prepare", "csv", "x y.csv", "--id", "who", "-o", "z.h5"],
      "type `momentum-dist prepare csv --from 'x y.csv' --id who --to z.h5`"
    ),
    (
      ["prepare", "csv", "--from", "x.csv"],
      "type `momentum-dist prepare csv --from x.csv --to x.h5`"
    ),
    (["prepare", "npz", "x.npz"], "type `momentum-dist prepare arrays --from x.npz --to x.h5`"),
    (["prepare", "arays", "x.npz"], "type `momentum-dist prepare arrays --from x.npz --to x.h5`"),
    (["prepare", "audio"], "type `momentum-dist prepare speech --from FILE --to FILE.h5`"),
    (["train", "--nodes", "4"], "ranks are started by `mpirun -np N` or `srun -n N`"),
  ]

  @Test(arguments: cases) func isAnsweredWithWhatToType(typed: [String], answer: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(typed, in: folder)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
      let parts = outcome.message.components(separatedBy: "; ")
      #expect(
        outcome.message.contains("; \(answer)")
          || parts.count > 1 && outcome.message.contains(": \(answer)"), "\(outcome.errors)")
      #expect(outcome.message.hasPrefix("momentum-dist: "), "\(outcome.errors)")
    }
  }

  /// An unknown word is answered with the help, as before.
  @Test func unknownWordsHaveTheHelp() throws {
    try Places.withTemporaryFolder { folder in
      for (typed, help) in [
        (["zebra"], "see momentum-dist --help"),
        (["train", "--zebra"], "see momentum-dist train --help"),
      ] {
        let outcome = try Program.run(typed, in: folder)
        #expect(outcome.status == 64 && outcome.message.hasSuffix(help), "\(outcome.errors)")
      }
    }
  }

  /// `help` of a command that is none has not the status of success.
  @Test func helpOfAMistypedCommandIsRefused() throws {
    try Places.withTemporaryFolder { folder in
      let mistyped = try Program.run(["help", "tain"], in: folder)
      #expect(
        mistyped.status == 64
          && mistyped.message
            == "momentum-dist: there is no command tain; type `momentum-dist help train`"
      )
      let known = try Program.run(["help", "train"], in: folder)
      #expect(known.status == 0 && known.output.contains("OVERVIEW: Train a model."))
    }
  }

  /// A folder is prepared by what is in it.
  @Test func foldersAreKnownByTheirFiles() throws {
    try Places.withTemporaryFolder { folder in
      for (name, command) in [
        ("a/x/1.npy", "arrays"), ("b/x/1.PNG", "images"), ("c/1.wav", "speech"),
      ] {
        let place = URL(fileURLWithPath: "\(folder)/\(name)")
        try FileManager.default.createDirectory(
          at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: place)
        let top = String(name.prefix(1))
        let outcome = try Program.run(["prepare", top], in: folder)
        #expect(
          outcome.message.hasSuffix(
            "; type `momentum-dist prepare \(command) --from \(top) --to \(top).h5`"),
          "\(outcome.errors)")
      }
    }
  }

  @Test func aMistypedRunIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      let trained = try Program.run(
        [
          "train", "--output", "runs/vowels", "--set", "epochs=1", "--set",
          "dataset.train_count=256",
        ]
          + ["--set", "dataset.steps=4", "--set", "model.hidden_size=4"], in: folder)
      #expect(trained.status == 0, "\(trained.errors)")
      let outcome = try Program.run(["evaluate", "runs/vowel"], ranks: 2, in: folder)
      #expect(outcome.status == 65)
      #expect(
        outcome.message
          == "momentum-dist: runs/vowel: does not exist; did you mean runs/vowels?",
        "\(outcome.errors)")
      let alone = try Program.run(["evaluate", "vowels"], in: folder)
      #expect(
        alone.message == "momentum-dist: vowels: does not exist; did you mean runs/vowels?",
        "\(alone.errors)")
      let report = try Program.run(["report", "vowels"], in: folder)
      #expect(report.status == 65 && report.message == alone.message, "\(report.errors)")
      let above = try Program.run(["report", "runs"], in: folder)
      #expect(
        above.message.hasSuffix("such as runs/vowels, or all of them: runs/*"), "\(above.errors)")
      let swapped = try Program.run(["predict", "x.npy", "runs/vowels"], in: folder)
      #expect(
        swapped.status == 64
          && swapped.message.contains("type `momentum-dist predict runs/vowels x.npy`"),
        "\(swapped.errors)")
      let other = try Program.run(["export", "runs/vowels", "--to", "a.pt"], in: folder)
      #expect(
        other.status == 64 && other.message.contains("the file would be safetensors, not .pt"),
        "\(other.errors)")
    }
  }

  /// A folder that counts as a run with a checkpoint of a step.
  private func makeRun(_ path: String, at time: Double, hasCheckpoint: Bool = true) throws {
    let files = FileManager.default
    let step = "\(path)/checkpoints/step-00000010"
    try files.createDirectory(atPath: step, withIntermediateDirectories: true)
    if hasCheckpoint {
      try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(step)/manifest.json"))
    }
    for name in ["config.yaml", "metrics.jsonl"] {
      try Data().write(to: URL(fileURLWithPath: "\(path)/\(name)"))
      try files.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: "\(path)/\(name)")
    }
  }

  /// Without a run, the newest are named.
  @Test func theNewestRunsAreNamed() throws {
    try Places.withTemporaryFolder { folder in
      for (name, time) in [("old", 1.0), ("new", 4.0), ("older", 0), ("middle", 2.0)] {
        try makeRun("\(folder)/runs/\(name)", at: time)
      }
      let others = "`, or name another run, such as runs/middle or runs/old"
      for (typed, line) in [
        (["report"], "report runs/new"), (["evaluate"], "evaluate runs/new"),
        (["predict"], "predict runs/new FILE"),
        (["watch", "--port", "0"], "watch runs/new --port 0"),
        (["export", "--format", "onnx"], "export runs/new --to new.onnx"),
      ] {
        let outcome = try Program.run(typed, in: folder)
        #expect(
          outcome.status == 64
            && outcome.message.hasSuffix("; type `momentum-dist \(line)\(others)"),
          "\(outcome.errors)")
      }
    }
  }

  /// Every command that takes a run names a near one, or else the newest.
  @Test func everyCommandNamesANearRun() throws {
    try Places.withTemporaryFolder { folder in
      try makeRun("\(folder)/runs/wide", at: 3)
      try makeRun("\(folder)/runs/sunspots-256", at: 2)
      // Without a checkpoint yet: a run to watch, but not to evaluate.
      try makeRun("\(folder)/runs/begun", at: 9, hasCheckpoint: false)
      try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/weights.safetensors"))
      try Data("x\n1\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/data.csv"))
      let wide = "does not exist; did you mean runs/wide?"
      let newest = "does not exist; name a run, such as runs/wide or runs/sunspots-256"
      for (typed, answer) in [
        (["evaluate", "runs/wode"], wide), (["evaluate", "run/wide/"], wide),
        (["evaluate", "runs/wave"], newest), (["evaluate", "none"], newest),
        (["evaluate", "runs/sunspots"], "did you mean runs/sunspots-256?"),
        (["evaluate", "runs/wde/checkpoints/latest"], wide),
        (
          ["evaluate", "runs/wide/checkpoints/step-00000011"],
          "did you mean runs/wide/checkpoints/step-00000010?"
        ),
        (["predict", "runs/wode", "data.csv"], wide), (["inspect", "runs/wode"], wide),
        (["inspect", "data.cvs"], "data.cvs: does not exist; did you mean data.csv?"),
        (["generate", "runs/wode", "--prompt", "a"], wide),
        (["export", "runs/wode", "--to", "a.onnx"], wide),
        (["report", "runs/wode"], wide), (["watch", "runs/wode"], wide),
        (["watch", "runs/begin"], "did you mean runs/begun?"),
        (["report", "runs/waves"], "name a run, such as runs/begun or runs/wide or runs/sunspots"),
        (["list", "run"], "did you mean runs?"), (["list", "runs/wode"], wide),
        (["train", "--resume", "runs/wode"], wide), (["train", "--resume", "runs/none"], newest),
        (
          ["train", "--output", "a", "--initial", "weight.safetensors"], "mean weights.safetensors?"
        ),
        (
          ["train", "--output", "a", "--initial", "runs/wide"],
          "runs/wide: is a run; write its parameters with `momentum-dist export runs/wide --to"
            + " wide.safetensors`, and type --initial wide.safetensors"
        ),
        (
          ["train", "--output", "a", "--initial", "runs/wode"],
          "did you mean the run runs/wide? Write its parameters with"
        ),
      ] {
        let outcome = try Program.run(typed, in: folder)
        #expect(outcome.status == 65, "\(typed): \(outcome.errors)")
        #expect(outcome.message.contains(answer), "\(typed): \(outcome.errors)")
        #expect(outcome.ownErrors.count { $0.hasPrefix("momentum-dist: ") } == 1)
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/a"))
    }
  }

  /// A mistyped configuration is answered at once.
  @Test func aMistypedConfigurationIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      try Data("epochs: 1\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/adding.yaml"))
      for (typed, cure) in [
        ("ading.yaml", "did you mean adding.yaml?"),
        ("./adding.yml", "did you mean ./adding.yaml?"),
        ("nothere.yaml", "check the path given to --config"),
      ] {
        let outcome = try Program.run(["train", "--config", typed], in: folder, deadline: 30)
        #expect(outcome.status == 78)
        #expect(outcome.message == "momentum-dist: \(typed): no such file; \(cure)")
      }
    }
  }

  /// Where there is no run at all, a command that lists them is named.
  @Test func whereThereIsNoRunListIsNamed() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["evaluate", "runs/wave"], in: folder)
      #expect(
        outcome.message == "momentum-dist: runs/wave: does not exist; check the path, or list the"
          + " runs of a folder with `momentum-dist list FOLDER`")
    }
  }
}
