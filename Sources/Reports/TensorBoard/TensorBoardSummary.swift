// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftProtobuf

// Values that TensorBoard's plugins show. Each names its plugin in its metadata.
extension TensorBoardSummary {
  /// Numbers by their names.
  init(_ scalars: [(tag: String, value: Float)]) {
    self.init()
    value = scalars.map { scalar in
      .with {
        $0.tag = scalar.tag
        $0.simpleValue = scalar.value
      }
    }
  }

  /// A text, which is read as Markdown.
  init(text: String, tag: String) {
    self.init(
      tag, of: "text",
      .with {
        $0.dtype = .dtString
        $0.stringVal = [Data(text.utf8)]
      })
  }

  /// Histograms by their names.
  init(_ histograms: [(tag: String, histogram: Histogram)]) {
    self.init()
    for (tag, histogram) in histograms {
      let tensor = TensorBoardTensor.with {
        $0.dtype = .dtDouble
        $0.tensorShape.dim = [Histogram.bins, 3].map { size in .with { $0.size = Int64(size) } }
        $0.doubleVal = histogram.rows
      }
      value += TensorBoardSummary(tag, of: "histograms", tensor).value
    }
  }

  /// The values of the keys that a run was started with. Numbers and truth values are written as
  /// such, so that the plugin can order them.
  init(startedWith hyperparameters: [(key: String, value: String)]) {
    let content = TensorBoardHyperparameters.with {
      $0.sessionStartInfo.startTimeSecs = Date().timeIntervalSince1970
      for (key, text) in hyperparameters {
        $0.sessionStartInfo.hparams[key] =
          if let number = Double(text), number.isFinite {
            Google_Protobuf_Value(numberValue: number)
          } else if let flag = Bool(text) {
            Google_Protobuf_Value(boolValue: flag)
          } else {
            Google_Protobuf_Value(stringValue: text)
          }
      }
    }
    self.init("_hparams_/session_start_info", of: "hparams", .none, content)
  }

  /// The end of a run.
  init(endedWell: Bool) {
    let content = TensorBoardHyperparameters.with {
      $0.sessionEndInfo.status = endedWell ? .success : .failure
      $0.sessionEndInfo.endTimeSecs = Date().timeIntervalSince1970
    }
    self.init("_hparams_/session_end_info", of: "hparams", .none, content)
  }

  private init(
    _ tag: String, of plugin: String, _ tensor: TensorBoardTensor,
    _ content: TensorBoardHyperparameters? = nil
  ) {
    self.init()
    value = [
      .with {
        $0.tag = tag
        $0.tensor = tensor
        $0.metadata.pluginData.pluginName = plugin
        // Serialising fails only if a required field is missing, which version 3 does not have.
        $0.metadata.pluginData.content = (try? content?.serializedData()) ?? Data()
      }
    ]
  }
}

extension TensorBoardTensor {
  /// No numbers, [0]: the tensor of a value that is all in its metadata.
  fileprivate static var none: TensorBoardTensor {
    .with {
      $0.dtype = .dtFloat
      $0.tensorShape.dim = [TensorBoardTensor.Shape.Dim()]
    }
  }
}
