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
    (["train", "d.csv"], "make a data set of it with `momentum-dist prepare`"),
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
    (["train", "--nodes", "4"], "ranks are started by `mpirun -np N` or `srun -n N`"),
  ]

  @Test(arguments: cases) func isAnsweredWithWhatToType(typed: [String], answer: String) throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(typed, in: folder)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.ownErrors.count == 1 && outcome.message.contains("; \(answer)"))
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
      let none = try Program.run(["evaluate"], in: folder)
      #expect(none.status == 64 && none.message.hasSuffix("; name a run, such as runs/vowels"))
      let other = try Program.run(["evaluate", "runs/zebra"], in: folder)
      #expect(other.message.hasSuffix("runs/zebra: does not exist; check the path of the run"))
    }
  }
}
