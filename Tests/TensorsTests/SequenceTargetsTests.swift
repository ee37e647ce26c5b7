// SPDX-License-Identifier: Apache-2.0

import Tensors
import Testing

@Suite struct SequenceTargetsTests {
  /// Row r holds r·W, r·W + 1 ...: for each kind, what a row is.
  private func targets(_ kind: TargetKind, rows: Int) -> SequenceTargets {
    let count = rows * kind.width
    return kind.answer == .numbers
      ? SequenceTargets(kind, numbers: (0..<count).map { Float($0) })
      : SequenceTargets(kind, whole: (0..<count).map { Int32($0) })
  }

  private func values(_ targets: SequenceTargets) -> [Int] {
    targets.whole.map { Int($0) } + targets.numbers.map { Int($0) }
  }

  private func rows(_ places: [Int], _ kind: TargetKind) -> [Int] {
    places.flatMap { place in (0..<kind.width).map { place * kind.width + $0 } }
  }

  static let kinds: [TargetKind] = TargetKind.Answer.allCases.flatMap { answer in
    [false, true].map { TargetKind(answer, outputs: 3, isEveryStep: $0) }
  }

  /// Four sequences, of two steps where every step has an answer.
  @Test(arguments: kinds) func takesRowsOfEveryKind(_ kind: TargetKind) {
    let all = targets(kind, rows: kind.isEveryStep ? 8 : 4)
    #expect(all.rowCount == (kind.isEveryStep ? 8 : 4))
    #expect(values(all.rows([3, 0, 0])) == rows([3, 0, 0], kind))
    #expect(values(all.rows(1..<3)) == rows([1, 2], kind) && all.rows([]).rowCount == 0)
    let some = all.sequences(1..<3, of: 4)
    #expect(values(some) == rows(kind.isEveryStep ? [1, 2, 5, 6] : [1, 2], kind))
    #expect(all.sequences(2..<2, of: 4).rowCount == 0)
    let seen = all.seen(of: 2..<4, steps: [6, 3])
    #expect(values(seen) == rows(kind.isEveryStep ? [6, 3] : [2, 3], kind))
    let last = all.steps(1..<2, of: 4)
    #expect(values(last) == (kind.isEveryStep ? rows([4, 5, 6, 7], kind) : values(all)))
    #expect(values(some.appending(last)) == values(some) + values(last))
    #expect(some.kind == kind && seen.kind == kind && last.kind == kind)
  }

  /// No sequence at all, as on a rank without rows.
  @Test(arguments: kinds) func nothingHasNoRows(_ kind: TargetKind) {
    let none = targets(kind, rows: 0)
    #expect(none.rowCount == 0 && none.sequences(0..<0, of: 0) == none)
    #expect(none.seen(of: 0..<0, steps: []) == none)
  }

  /// Checkpoints hold these names.
  @Test func kindsHaveDifferentNames() {
    #expect(Set(Self.kinds.map(\.name)).count == Self.kinds.count)
    #expect(TargetKind.classes(10).name == "classes 10" && TargetKind.frames(5).name == "frames 5")
    #expect(TargetKind.stepClasses(9).name == "step_classes 9")
    #expect(TargetKind.values(1).name == "values 1")
  }
}
