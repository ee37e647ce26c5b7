// SPDX-License-Identifier: Apache-2.0

import Kernels
import Models
import Tensors

extension SequenceModel {
  /// The model, prepared for its current parameters.
  func prepared(_ parameters: ParameterBuffer<Scalar>) -> SequenceModel {
    do { try prepare(parameters, advancing: false) } catch { preconditionFailure("\(error)") }
    return self
  }
}
