// SPDX-License-Identifier: Apache-2.0

extension Tensor<Float> {
  /// The place of the first element that is infinite or not a number; nil if there is none.
  public var firstNotFinite: Int? {
    let exponent: UInt32 = 0x7f80_0000
    return withSpan { span in
      // A number is not finite if all bits of its exponent are set. Comparing integers takes few
      // instructions and can be vectorised.
      var found: UInt32 = 0
      for index in span.indices {
        found |= span[index].bitPattern & exponent == exponent ? 1 : 0
      }
      return found == 0 ? nil : span.indices.first { !span[$0].isFinite }
    }
  }
}
