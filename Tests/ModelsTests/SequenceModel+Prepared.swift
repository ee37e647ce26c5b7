// SPDX-License-Identifier: Apache-2.0

import Kernels
import Models
import Tensors

extension SequenceModel {
  /// The model, prepared for what its parameters are now.
  func prepared(_ parameters: ParameterBuffer<Scalar>) -> SequenceModel {
    do { try prepare(parameters, advancing: false) } catch { preconditionFailure("\(error)") }
    return self
  }
}
