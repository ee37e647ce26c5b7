import Kernels
import Tensors

/// How a reference file keeps a parameter of ours, or some rows of it.
struct StoredParameter {
  /// The name of the file's array.
  let name: String
  /// What a report calls it.
  let title: String
  /// The rows of ours that the file has there.
  private let rows: Range<Int>
  private let isWhole: Bool
  /// The columns of the file's array that are ours.
  private let columns: Range<Int>
  /// Whether the file has our rows as columns.
  private let isTurned: Bool
  private let fixture: FixtureCase

  /// The arrays that together hold a parameter.
  static func parts(
    of own: String, _ shape: [Int], _ fixture: FixtureCase
  ) -> [StoredParameter] {
    if let memory = memoryParts(of: own, shape, fixture) { return memory }
    let names = [
      "weight_ih": fixture.has("params/W_in") ? "W_in" : "W_ih", "weight_hh": "W_hh",
      "skew": "A", "bias_ih": "b_ih", "bias_hh": "b_hh", "bias": "b",
    ]
    return [
      StoredParameter(
        names[own] ?? own, title: names[own] ?? own, rows: 0..<shape[0], isWhole: true,
        columns: 0..<(shape.count == 2 ? shape[1] : 1),
        // The authors of the normalised LSTM have a column for each gate's unit.
        isTurned: fixture.keepsColumns && shape.count == 2, fixture)
    ]
  }

  /// Those of a cell with a memory, whose authors join what sees x and h, and x and m, and keep
  /// candidate and gate apart.
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
    /// The candidate's rows, and the gate's where there is one.
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

  private init(
    _ name: String, title: String, rows: Range<Int>, isWhole: Bool, columns: Range<Int>,
    isTurned: Bool, _ fixture: FixtureCase
  ) {
    self.name = name
    self.title = title
    self.rows = rows
    self.isWhole = isWhole
    self.columns = columns
    self.isTurned = isTurned
    self.fixture = fixture
  }

  /// The rows of a parameter of ours, or of its gradient, that are meant.
  func own<Scalar: KernelScalar>(_ tensor: Tensor<Scalar>) -> Tensor<Scalar> {
    isWhole ? tensor : tensor.rows(rows)
  }

  /// The numbers of the file's array in our order.
  func values(_ array: FixtureCase.NamedArray) throws(FixtureError) -> [Double] {
    let width = array.shape.count == 2 ? array.shape[1] : 1
    let (height, ends) = isTurned ? (columns.count, rows.count) : (rows.count, columns.upperBound)
    guard (1...2).contains(array.shape.count), array.shape[0] == height, ends <= width else {
      throw FixtureError(
        "\(fixture.path):/\(fixture.name)", "has \(name) of shape \(array.shape)",
        cure: "give a reference file as Tests/References/make_fixtures.py writes it")
    }
    return (0..<rows.count).flatMap { row in
      columns.map { column in
        isTurned
          ? array.values[column * width + row] : array.values[row * width + column]
      }
    }
  }
}
