// SPDX-License-Identifier: Apache-2.0

import Kernels

/// A convolution or a pooling of maps [N, C, Y, X].
struct ConvolutionNode {
  private let weight: GraphValue
  private let bias: GraphValue?
  private let attributes: [ONNXAttribute]
  private let enlarging: (GraphValue) -> GraphValue

  /// - Parameter name: a weight [channels, K, K, inputs]
  init(
    _ name: String, bias: String? = nil, _ windows: ImageWindows, _ tensors: LayerTensors,
    in graph: GraphBuilder
  ) throws(ExportError) {
    let tensor = try tensors.require(name)
    let (channels, kernel, inputs) = (tensor.shape[0], tensor.shape[1], tensor.shape[3])
    let places = kernel * kernel
    var values: [Float] = []
    values.reserveCapacity(tensor.values.count)
    for channel in 0..<channels {
      for input in 0..<inputs {
        for place in 0..<places {
          values.append(tensor.values[(channel * places + place) * inputs + input])
        }
      }
    }
    weight = graph.constant(
      values, shape: [channels, inputs, kernel, kernel], named: tensor.path)
    self.bias = bias == nil ? nil : try tensors.constant(bias!, in: graph)
    attributes = Self.attributes(windows)
    enlarging = Self.enlarging(windows, in: graph)
  }

  /// A filter for each channel.
  ///
  /// - Parameter name: filters [C, K, K]
  init(
    depthwise name: String, _ windows: ImageWindows, _ tensors: LayerTensors,
    in graph: GraphBuilder
  ) throws(ExportError) {
    let tensor = try tensors.require(name)
    let (channels, kernel) = (tensor.shape[0], tensor.shape[1])
    weight = graph.constant(
      tensor.values, shape: [channels, 1, kernel, kernel], named: tensor.path)
    bias = nil
    attributes = Self.attributes(windows) + [.int("group", channels)]
    enlarging = Self.enlarging(windows, in: graph)
  }

  func of(_ x: GraphValue) -> GraphValue {
    .apply("Conv", [enlarging(x), weight] + (bias.map { [$0] } ?? []), attributes)
  }

  /// The largest number or the mean of each window, without the places outside the map.
  static func pooled(_ x: GraphValue, _ pooling: ImagePooling) -> GraphValue {
    .apply(
      pooling.kind == .max ? "MaxPool" : "AveragePool", [x], attributes(pooling.windows))
  }

  /// The windows, with the margins that TensorFlow calls SAME.
  private static func attributes(_ windows: ImageWindows) -> [ONNXAttribute] {
    func margins(_ extent: Int, _ count: Int) -> (before: Int, after: Int) {
      let all = max(
        (count - 1) * windows.stride + windows.kernel - extent * windows.enlargement, 0)
      return (all / 2, all - all / 2)
    }
    let y = margins(windows.input.height, windows.height)
    let x = margins(windows.input.width, windows.width)
    return [
      .ints("kernel_shape", [windows.kernel, windows.kernel]),
      .ints("pads", [y.before, x.before, y.after, x.after]),
      .ints("strides", [windows.stride, windows.stride]),
    ]
  }

  /// Repeats each place of a map in both directions.
  private static func enlarging(
    _ windows: ImageWindows, in graph: GraphBuilder
  ) -> (GraphValue) -> GraphValue {
    let (e, map) = (windows.enlargement, windows.input)
    guard e > 1 else { return { $0 } }
    return { x in
      let repeated = GraphValue.apply(
        "Expand", [x.expandingAxes([3, 5]), graph.whole([1, 1, 1, e, 1, e])])
      return repeated.reshaped([-1, map.channels, map.height * e, map.width * e])
    }
  }
}
