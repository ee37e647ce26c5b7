// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Archives in the .ts format of the UEA and UCR time series repository: a _TRAIN.ts and a
/// _TEST.ts.
///
/// After comments (# or %) and header lines (@problemName, @dimensions, @classLabel true A B ...,
/// @data) each line is a sequence: its features one after the other, separated by colons, each with
/// its values over time, separated by commas, and at the end the class. Sequences may differ in
/// length; the features of one sequence may not. With time stamps a value is (TIME,VALUE). A
/// feature is missing at a time at which only other features have a value.
public enum TSArchive {
  /// Reads both parts.
  ///
  /// - Parameters:
  ///   - paths: a folder that holds one *_TRAIN.ts and one *_TEST.ts, or these two files
  ///   - missing: how missing values are treated
  public static func read(
    _ paths: [String], missing: MissingValues = .refuse
  ) throws(DatasetError) -> SequenceArchive {
    let (trainPath, testPath) = try parts(paths)
    let train = try TSFile(trainPath, missing)
    let test = try TSFile(testPath, missing)
    guard train.features == test.features else {
      throw DatasetError(
        testPath, "has \(test.features) dimensions, \(trainPath) has \(train.features)",
        cure: "give the two parts of one archive")
    }
    guard train.isRegression == test.isRegression else {
      throw DatasetError(
        testPath, "does not have the kind of targets that \(trainPath) has",
        cure: "give the two parts of one archive")
    }
    let naming = ClassNaming(
      names: train.classNames ?? ClassNaming.order(Set(train.labels.map { ExactText($0) })))
    var archive = try SequenceArchive(
      trainPath, features: train.features, classNames: naming.names,
      target: train.isRegression ? .values : .classes, train: try train.part(naming),
      test: try test.part(naming))
    archive.notes = train.notes + test.notes
    archive.hasUnknownDates = train.hasUnknownDates || test.hasUnknownDates
    return archive
  }

  private static func parts(_ paths: [String]) throws(DatasetError) -> (String, String) {
    var files = paths
    let folder = paths.first ?? ""
    if paths.count == 1, isFolder(folder) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      files = names.map { (folder as NSString).appendingPathComponent($0) }
    }
    func ending(_ ending: String) -> [String] {
      files.filter { path in
        [".ts", ".ts.gz"].contains { path.uppercased().hasSuffix(ending + $0.uppercased()) }
      }
    }
    let (train, test) = (ending("_TRAIN"), ending("_TEST"))
    guard train.count == 1, test.count == 1 else {
      throw DatasetError(
        folder, "has \(train.count) files *_TRAIN.ts and \(test.count) *_TEST.ts",
        cure: "expected one of each: name their folder, or both files, with --from")
    }
    return (train[0], test[0])
  }
}
