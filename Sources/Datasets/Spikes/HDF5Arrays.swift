// SPDX-License-Identifier: Apache-2.0

import HDF5

/// The arrays of an HDF5 file. Those of a MATLAB file (`save -v7.3`) appear as MATLAB shows them.
struct HDF5Arrays: StoredArrays {
  let path: String
  let file: HDF5.File
  let arrays: [(name: String, shape: [Int])]
  private let ofMATLAB: Set<String>

  private static let matlabClass = "MATLAB_class"

  init(_ path: String) throws(DatasetError) {
    self.path = path
    let entries = try FileListing(path, readingAll: false).entries
    do {
      let file = try HDF5.File.open(path)
      var (arrays, ofMATLAB) = ([(name: String, shape: [Int])](), Set<String>())
      for entry in entries where entry.problem == nil && entry.elementType.isNumber {
        // MATLAB stores the contents of its cells in a group of this name.
        guard !entry.name.hasPrefix("#") else { continue }
        let isOfMATLAB = try file.dataset(entry.name).hasStringAttribute(Self.matlabClass)
        if isOfMATLAB { ofMATLAB.insert(entry.name) }
        arrays.append((entry.name, isOfMATLAB ? entry.shape.reversed() : entry.shape))
      }
      (self.file, self.arrays, self.ofMATLAB) = (file, arrays, ofMATLAB)
    } catch {
      throw DatasetError(path, error, cure: "check the path; the file may be damaged")
    }
  }

  var kind: String { ofMATLAB.isEmpty ? "HDF5" : "MATLAB 7.3" }

  func read(_ name: String) throws(DatasetError) -> StoredArray {
    do {
      let dataset = try file.dataset(name)
      try dataset.requireStored()
      let isOfMATLAB = ofMATLAB.contains(name)
      return StoredArray(
        shape: isOfMATLAB ? dataset.shape.reversed() : dataset.shape,
        isColumnMajor: isOfMATLAB,
        values: try dataset.read(as: Float.self, maximumElements: StoredArray.maximumCount))
    } catch {
      throw DatasetError(path, error, cure: "the file may be damaged: copy it again")
    }
  }

  /// The numbers of a one-dimensional dataset in full precision; nil if there is none.
  func doubles(_ name: String) throws(DatasetError) -> [Double]? {
    guard let shape = shape(of: name) else { return nil }
    guard shape.count == 1 else {
      throw DatasetError(path, "\(name) is \(shape)", cure: "it must have one dimension")
    }
    do {
      let dataset = try file.dataset(name)
      try dataset.requireStored()
      return try dataset.read(as: Double.self, maximumElements: StoredArray.maximumCount)
    } catch {
      throw DatasetError(path, error, cure: "the file may be damaged: copy it again")
    }
  }
}
