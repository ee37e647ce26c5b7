// SPDX-License-Identifier: Apache-2.0

import Checkpoints
import Files
import Foundation

extension RunRecord {
  /// The last results on the validation part at a step, by key; nil if there are none.
  ///
  /// - Parameters:
  ///   - run: the run's folder
  ///   - step: the step, counted from 1
  public static func validation(of run: String, atStep step: Int) -> [String: Double]? {
    let lines = DurableFiles.ordinaryContents(of: RunFolder(run).metrics) ?? Data()
    return lines.split(separator: UInt8(ascii: "\n")).compactMap { point(Data($0)) }
      .last { $0.isValidation && $0.step == step }?.values
  }
}
