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
      let none = try Program.run(["evaluate"], in: folder)
      #expect(none.status == 64 && none.message.hasSuffix("; name a run, such as runs/vowels"))
      let far = try Program.run(["evaluate", "runs/zebra"], in: folder)
      #expect(far.message.hasSuffix("runs/zebra: does not exist; check the path of the run"))
    }
  }
}
