// SPDX-License-Identifier: Apache-2.0

import Kernels
import Tensors

/// How a reference file stores one of our parameters, or some rows of it.
struct StoredParameter {
  /// The name of the file's array.
  let name: String
  /// Its name in a report.
  let title: String
  /// Our rows that the array has.
  private let rows: Range<Int>
  private let isWhole: Bool
  /// The first of these rows in the array.
  private let firstRow: Int
  /// The columns of these in the array; for a convolution, the input channels.
  private let columns: Range<Int>
  /// An offset that the reference adds to the values in every step, and that ours include.
  let offset: Double
  /// Whether our rows are columns of the array.
  private let isTurned: Bool
  private let fixture: FixtureCase

  /// The arrays that together hold a parameter.
  static func parts(
    of own: String, _ shape: [Int], _ fixture: FixtureCase
  ) -> [StoredParameter] {
    if let memory = memoryParts(of: own, shape, fixture) { return memory }
    if fixture.keepsMaps { return mapParts(of: own, shape, fixture) }
    let names = [
      "weight_ih": fixture.has("params/W_in") ? "W_in" : "W_ih", "weight_hh": "W_hh",
      "skew": "A", "bias_ih": "b_ih", "bias_hh": "b_hh", "bias": "b",
    ]
    return [
      StoredParameter(
        names[own] ?? own, title: names[own] ?? own, rows: 0..<shape[0], isWhole: true,
        columns: 0..<(shape.count == 2 ? shape[1] : 1),
        // The authors of the normalised LSTM store a column for each gate's unit.
        isTurned: fixture.keepsColumns && shape.count == 2, fixture)
    ]
  }

  /// The parts of a cell with a memory, whose authors join the weights of x and h, and of x and m,
  /// and separate candidate and gate.
  private static func memoryParts(
    of own: String, _ shape: [Int], _ fixture: FixtureCase
  ) -> [StoredParameter]? {
    guard fixture.has("params/W_uxh"), let C = try? fixture.size("I") else { return nil }
    func part(_ theirs: String, _ rows: Range<Int>, at column: Int = 0) -> StoredParameter {
      StoredParameter(
        theirs, title: "\(theirs), \(own)", rows: rows, isWhole: rows == 0..<shape[0],
        columns: column..<column + (shape.count == 2 ? shape[1] : 1), isTurned: false, fixture)
    }
    let all = 0..<shape[0]
    let half = fixture.has("params/W_g") ? shape[0] / 2 : shape[0]
    /// The candidate's rows, and the gate's if there is one.
    func both(_ candidate: String, _ gate: String, at column: Int = 0) -> [StoredParameter] {
      [part(candidate, 0..<half, at: column)]
        + (half < shape[0] ? [part(gate, half..<shape[0], at: column)] : [])
    }
    switch own {
    case "weight_ux": return [part("W_uxh", all)]
    case "weight_uh": return [part("W_uxh", all, at: C)]
    case "bias_u": return [part("b_uxh", all)]
    case "weight_um": return [part("W_um", all)]
    case "weight_hx": return both("W_hxm", "W_g")
    case "weight_hm": return both("W_hxm", "W_g", at: C)
    case "bias_h": return both("b_hxm", "b_g")
    case "weight_hh": return [part("W_hh", all)]
    default: return nil
    }
  }

  /// The parts of a cell on maps, whose authors join the weights of x and h, order gates as
  /// TensorFlow does and add a bias to some of them in every step.
  private static func mapParts(
    of own: String, _ shape: [Int], _ fixture: FixtureCase
  ) -> [StoredParameter] {
    guard let H = try? fixture.size("C"), let C = try? fixture.size("C_in") else { return [] }
    let forgetBias = ((try? fixture.optionalNumber("forget_bias")) ?? nil) ?? 0
    /// The blocks of H rows of ours: the file's array, its block, and whether it forgets.
    func blocks(_ theirs: [(name: String, block: Int, forgets: Bool)]) -> [StoredParameter] {
      let isBias = shape.count == 1
      let channels = isBias ? 1 : shape[3]
      // In joined weights, those of the state come last.
      let first = own == "weight_hh" || own == "weight_ch" ? C : 0
      return theirs.enumerated().map { block, part in
        let name = (isBias ? "b" : "W") + part.name
        return StoredParameter(
          name, title: "\(name), \(own) \(block)", rows: block * H..<(block + 1) * H,
          isWhole: theirs.count == 1, firstRow: part.block * H, columns: first..<first + channels,
          offset: isBias && part.forgets ? forgetBias : 0, isTurned: false, fixture)
      }
    }
    switch (own, fixture.system) {
    case ("decay", _): return []
    case ("weight_hidden", _): return blocks([("_hc", 0, false), ("_hh", 0, false)])
    case ("weight_cell", _): return blocks([("_cc", 0, false), ("_ch", 0, false)])
    case ("weight_ff", _), ("bias_ff", _): return blocks([("_ff", 0, false)])
    case ("weight_rg", _): return blocks([("_rg", 0, false)])
    case ("weight_ic", _): return blocks([("_ic", 0, false)])
    case ("weight_ch", _): return blocks([("_c", 0, false)])
    case (_, "conv_gru"):
      let gates = [("_ru", 0, true), ("_ru", 1, false)]
      return blocks(own == "weight_hh" ? gates : gates + [("_c", 0, false)])
    case (_, "conv_lstm"):
      return blocks([("", 2, true), ("", 0, false), ("", 3, false), ("", 1, false)])
    case (_, "conv_ugrnn"): return blocks([("", 0, true), ("", 1, false)])
    default:
      return blocks([("", 0, true), ("", 1, false), ("", 2, true), ("", 3, false)])
    }
  }

  private init(
    _ name: String, title: String, rows: Range<Int>, isWhole: Bool, firstRow: Int = 0,
    columns: Range<Int>, offset: Double = 0, isTurned: Bool, _ fixture: FixtureCase
  ) {
    self.name = name
    self.title = title
    self.rows = rows
    self.isWhole = isWhole
    self.firstRow = firstRow
    self.offset = offset
    self.columns = columns
    self.isTurned = isTurned
    self.fixture = fixture
  }

  /// These rows of our parameter, or of its gradient.
  func own<Scalar: KernelScalar>(_ tensor: Tensor<Scalar>) -> Tensor<Scalar> {
    isWhole ? tensor : tensor.rows(rows)
  }

  /// The numbers of the file's array in our order.
  func values(_ array: FixtureCase.NamedArray) throws(FixtureError) -> [Double] {
    let width = array.shape.count > 1 ? array.shape[1] : 1
    // Each row is a kernel [in, ky, kx]; ours has the channels last.
    let places = array.shape.dropFirst(2).reduce(1, *)
    let (height, ends) =
      isTurned ? (columns.count, rows.count) : (firstRow + rows.count, columns.upperBound)
    let isFitting =
      fixture.keepsMaps ? array.shape[0] >= height : array.shape[0] == height
    guard [1, 2, 4].contains(array.shape.count), isFitting, ends <= width else {
      throw FixtureError(
        "\(fixture.path):/\(fixture.name)", "has \(name) of shape \(array.shape)",
        cure: "give a reference file as Tests/References/make_fixtures.py writes it")
    }
    return (firstRow..<firstRow + rows.count).flatMap { row in
      (0..<places).flatMap { place in
        columns.map { column in
          isTurned
            ? array.values[column * width + row]
            : array.values[(row * width + column) * places + place]
        }
      }
    }
  }
}
