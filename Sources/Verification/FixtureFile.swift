// SPDX-License-Identifier: Apache-2.0

import Files
import HDF5

/// A file or case that cannot be verified: what, where, and what to do, in one line.
public struct FixtureError: FileProblem {
  public let path: String
  public let problem: String
  public let cure: String

  init(_ path: String, _ problem: String, cure: String) {
    self.path = path
    self.problem = problem
    self.cure = cure
  }

  /// An error that a library reported about the file.
  init(_ path: String, _ error: any Error, cure: String) {
    self.init(path, (error as? HDF5Error)?.description(in: path) ?? "\(error)", cure: cure)
  }
}

/// A reference file: inputs and expected outputs of one system, in cases of different sizes.
///
///     /            attribute system
///     /<case>      attributes T, B, I, H and the hyper-parameters
///     /<case>/params, constants, input, initial, upstream, expected
public struct FixtureFile {
  /// The file, for messages.
  public let path: String
  /// The name of the system it holds.
  public let system: String
  /// The names of the cases.
  public let cases: [String]
  /// Whether weights are kept with a column for each gate's unit, [in, G·H].
  private let keepsColumns: Bool
  /// Whether arrays other than parameters are maps with the channels first, [C, Y, X].
  private let keepsMaps: Bool
  private let file: HDF5.File

  /// Opens a file and lists its cases.
  public init(_ path: String) throws(FixtureError) {
    self.path = path
    do {
      let file = try HDF5.File.open(path)
      guard let system = try file.stringAttribute("system") else {
        throw FixtureError(
          path, "has no attribute \"system\"",
          cure: "give a reference file as Tests/References/make_fixtures.py writes it")
      }
      self.file = file
      self.system = system
      keepsColumns = try file.stringAttribute("gate_order")?.hasSuffix("(columns)") ?? false
      keepsMaps = try file.stringAttribute("layout")?.hasPrefix("x [T,B,C,Y,X]") ?? false
      cases = try file.childNames().filter { file.isGroup($0) }
    } catch let error as FixtureError {
      throw error
    } catch {
      throw FixtureError(path, error, cure: "check the path")
    }
  }

  /// The case with this name.
  public func fixture(_ name: String) throws(FixtureError) -> FixtureCase {
    do {
      return FixtureCase(
        path: path, system: system, name: name, keepsColumns: keepsColumns,
        keepsMaps: keepsMaps, group: try file.group(name))
    } catch {
      throw FixtureError(path, error, cure: "the file may be damaged")
    }
  }
}

/// One case of a reference file.
public struct FixtureCase {
  /// The file, for messages.
  public let path: String
  /// The name of the system.
  public let system: String
  /// The name of the case.
  public let name: String
  let keepsColumns: Bool
  let keepsMaps: Bool
  let group: Group

  /// An array by its path below the case.
  public struct NamedArray {
    /// The extents, from the outermost in.
    public let shape: [Int]
    /// The elements, row-major.
    public let values: [Double]

    /// Maps [..., C, Y, X] as [..., Y, X, C].
    var channelsLast: NamedArray {
      guard shape.count >= 3 else { return self }
      let (C, places) = (shape[shape.count - 3], shape.suffix(2).reduce(1, *))
      let turned = (0..<values.count).map { index in
        let (map, rest) = index.quotientAndRemainder(dividingBy: C * places)
        return values[map * C * places + rest % C * places + rest / C]
      }
      return NamedArray(shape: shape.dropLast(3) + shape.suffix(2) + [C], values: turned)
    }
  }

  private func failure(_ problem: String) -> FixtureError {
    FixtureError(
      "\(path):/\(name)", problem,
      cure: "give a reference file as Tests/References/make_fixtures.py writes it")
  }

  /// A hyper-parameter that the case must have.
  public func number(_ attribute: String) throws(FixtureError) -> Double {
    guard let value = try optionalNumber(attribute) else {
      throw failure("has no attribute \"\(attribute)\"")
    }
    return value
  }

  /// A hyper-parameter that the case may have.
  public func optionalNumber(_ attribute: String) throws(FixtureError) -> Double? {
    do {
      return try group.doubleAttribute(attribute)
    } catch {
      throw failure("\(error)")
    }
  }

  /// A text attribute that it may have.
  public func text(_ attribute: String) throws(FixtureError) -> String? {
    do {
      return try group.stringAttribute(attribute)
    } catch {
      throw failure("\(error)")
    }
  }

  /// A size that the case must have, a whole number of at least 1.
  public func size(_ attribute: String) throws(FixtureError) -> Int {
    let value = try number(attribute)
    guard value >= 1, value < 1e9, value == value.rounded() else {
      throw failure("has \(attribute) = \(value)")
    }
    return Int(value)
  }

  /// Whether the case has something at a path.
  func has(_ path: String) -> Bool { group.contains(path) }

  /// An array that the case must have.
  public func array(_ path: String, shape: [Int]? = nil) throws(FixtureError) -> NamedArray {
    guard let array = try optionalArray(path) else { throw failure("has no \(path)") }
    if let shape, array.shape != shape {
      throw failure("has \(path) of shape \(array.shape), expected \(shape)")
    }
    return array
  }

  /// An array that it may have.
  public func optionalArray(_ path: String) throws(FixtureError) -> NamedArray? {
    do {
      guard group.contains(path) else { return nil }
      let dataset = try group.dataset(path)
      let array = NamedArray(
        shape: dataset.shape, values: try dataset.read(as: Double.self, maximumElements: 1 << 28))
      return keepsMaps && !path.contains("params/") ? array.channelsLast : array
    } catch {
      throw failure("\(error)")
    }
  }

  /// The names below a path; empty if it does not exist.
  public func names(below path: String) throws(FixtureError) -> [String] {
    do {
      return group.contains(path) ? try group.group(path).childNames() : []
    } catch {
      throw failure("\(error)")
    }
  }
}
