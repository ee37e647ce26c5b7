// SPDX-License-Identifier: Apache-2.0

extension Tensor<Float> {
  /// The place of the first element that is infinite or not a number; nil if there is none.
  public var firstNotFinite: Int? {
    let exponent: UInt32 = 0x7f80_0000
    return withSpan { span in
      // All bits of the exponent are set. Integers are compared, a run at a time, because that
      // takes few instructions.
      var found: UInt32 = 0
      for index in span.indices {
        found |= span[index].bitPattern & exponent == exponent ? 1 : 0
      }
      return found == 0 ? nil : span.indices.first { !span[$0].isFinite }
    }
  }
}
