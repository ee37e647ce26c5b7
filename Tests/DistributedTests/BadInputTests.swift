import Foundation
import TestSupport
import Testing

/// Bad input ends every rank with one line and the status of the contract, and soon.
@Suite(.serialized) struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let arguments: [String]
    let status: Int32
    let message: String
    var testDescription: String { name }

    init(_ name: String, _ arguments: [String], _ status: Int32, _ message: String) {
      self.name = name
      self.arguments = arguments
      self.status = status
      self.message = message
    }
  }

  static let classification = [
    "train", "--set", "dataset.task=classification", "--set", "dataset.validation_count=0",
  ]

  static let cases = [
    Case(
      "missing dataset", classification + ["--set", "dataset.file=none.h5"], 65, "none.h5: "),
    Case(
      "truncated dataset", classification + ["--set", "dataset.file=truncated.h5"], 65,
      "truncated.h5: "),
    Case("no HDF5 file", classification + ["--set", "dataset.file=text.h5"], 65, "text.h5: "),
    Case(
      "unknown key", ["train", "--set", "model.hiden_size=3"], 78,
      "the nearest known key is model.hidden_size"),
    Case("unfit value", ["train", "--set", "epochs=none"], 78, "expected a whole number"),
    Case(
      "batch smaller than the shards", ["train", "--set", "batch_size=4"], 78,
      "raise batch_size or set shards=4"),
    Case(
      "more ranks than shards", ["train", "--set", "shards=1"], 78, "there are 2 ranks"),
    Case("missing configuration", ["train", "--config", "none.yaml"], 78, "none.yaml: cannot"),
    Case(
      "unwritable output", ["train", "--output", "text.h5/run", "--max-steps", "1"], 74,
      "cannot make the folder"),
    Case(
      "resume from a folder that is no checkpoint", ["train", "--resume", "empty"], 65,
      "empty: holds no checkpoint"),
    Case("evaluate nothing", ["evaluate", "empty"], 65, "empty: holds no checkpoint"),
    Case("inspect nothing", ["inspect", "none"], 65, "none: does not exist"),
  ]

  @Test(arguments: cases) func isOneLineAndAStatusOnEveryRank(_ item: Case) throws {
    try Places.withTemporaryFolder { folder in
      try Data("no HDF5".utf8).write(to: URL(fileURLWithPath: "\(folder)/text.h5"))
      try Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]).write(
        to: URL(fileURLWithPath: "\(folder)/truncated.h5"))
      try FileManager.default.createDirectory(
        atPath: "\(folder)/empty", withIntermediateDirectories: true)
      let before = try FileManager.default.subpathsOfDirectory(atPath: folder)
      let outcome = try Program.run(item.arguments, ranks: 2, in: folder, deadline: 20)
      #expect(outcome.status == item.status, "\(outcome.errors)")
      #expect(outcome.message.contains(item.message), "\(outcome.errors)")
      #expect(outcome.ownErrors.count == 1, "\(outcome.errors)")
      let after = try FileManager.default.subpathsOfDirectory(atPath: folder)
        .filter { !$0.contains(".outcome-") }
      #expect(after == before, "nothing half-written")
    }
  }

  /// A rank that alone has something to complain of ends the others too.
  @Test func oneRanksComplaintEndsAll() throws {
    try Places.withTemporaryFolder { folder in
      let train = ["train", "--max-steps", "1", "--set", "model.hidden_size=2"]
      let outcome = try Program.run(
        train, ranks: 1, and: ["-np", "1", "-x", "MOMENTUM_DIST_KERNELS=none"], in: folder,
        deadline: 20)
      #expect(outcome.status == 78, "\(outcome.errors)")
      #expect(outcome.message.contains("rank 1: MOMENTUM_DIST_KERNELS is \"none\""))
      let unequal = try Program.run(
        train, ranks: 1, and: ["-np", "1", "-x", "MOMENTUM_DIST_KERNELS=reference"], in: folder,
        deadline: 20)
      #expect(unequal.status == 78 && unequal.message.contains("their numbers would differ"))
    }
  }

  @Test func prepareNamesWhatIsWrong() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(
        ["prepare", "mnist", "--from", folder, "--to", "out.h5"], in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.message.contains("has no train-images-idx3-ubyte"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/out.h5"))
    }
  }

  @Test func aWrongCommandLineIsReportedOnce() throws {
    try Places.withTemporaryFolder { folder in
      let outcome = try Program.run(["train", "--no-such-option"], ranks: 3, in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.errors.components(separatedBy: "--no-such-option").count == 2)
    }
  }

  @Test func aRunIsNotOverwritten() throws {
    try Places.withTemporaryFolder { folder in
      let arguments = ["train", "--max-steps", "1", "--set", "dataset.train_count=100",
        "--set", "batch_size=10", "--set", "model.hidden_size=2", "--output", "run"]
      #expect(try Program.run(arguments, in: folder).status == 0)
      let again = try Program.run(arguments, in: folder)
      #expect(again.status == 64 && again.message.contains("add --resume"))
      let other = try Program.run(
        ["train", "--resume", "run", "--set", "model.hidden_size=3"], in: folder)
      #expect(other.status == 78 && other.message.contains("model.hidden_size"))
    }
  }
}
