import Models
import Tensors
import Testing

@Suite struct LossTests {
  @Test func classesThatNobodyAsksAboutAreNotJudged() {
    // Rows 0 and 1 are of the blank, class 0; of the others one answer is right.
    let logits = Tensor<Double>([5, 0, 0, 0, 5, 0, 0, 5, 0, 0, 5, 0], shape: [4, 3])
    let classes: [Int32] = [0, 0, 1, 2]
    let all = Loss.crossEntropy(logits, classes: classes[...], gradient: nil)
    let some = Loss.crossEntropy(logits, classes: classes[...], unjudged: 0, gradient: nil)
    #expect(all.accuracy == 0.5 && all.judged == 4)
    #expect(some.accuracy == 0.5 && some.judged == 2 && some.correct == 1)
    #expect(some.loss == all.loss && some.elements == 4)
  }

  @Test func anUnknownCountHasNoPartInThePoissonLoss() {
    let rates = Tensor<Double>([0, 1, -1, 2], shape: [2, 2])
    let gradient = Tensor<Double>(shape: [2, 2])
    let totals = Loss.poisson(rates, counts: [2, -100, 0, 1], gradient: gradient)
    #expect(totals.elements == 3)
    #expect(abs(totals.loss - (1 + 0.36787944117144233 + 7.38905609893065 - 2)) < 1e-12)
    #expect(gradient[0] == -1 && gradient[1] == 0)
  }
}
