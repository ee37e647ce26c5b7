// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func viewsShareMemory() {
    let tensor = Tensor<Float>(shape: [3, 2])
    tensor.rows(1..<2)[1] = 5
    #expect(tensor.array == [0, 0, 0, 5, 0, 0])
    #expect(tensor.reshaped([6])[3] == 5)
    #expect(tensor.row(1).array == [0, 5])
  }

  @Test func copiesDoNotShareMemory() {
    let tensor = Tensor<Double>([1, 2, 3])
    let copy = tensor.copy()
    tensor[0] = 9
    #expect(copy.array == [1, 2, 3])
  }

  @Test func emptyRowsAreAllowed() {
    let tensor = Tensor<Float>(shape: [4, 2])
    #expect(tensor.rows(4..<4).shape == [0, 2])
    #expect(tensor.rows(2..<2).array.isEmpty)
  }

  @Test func memoryIsAlignedForVectors() {
    for count in [1, 7, 1000, 3_000_000] {
      #expect(UInt(bitPattern: Tensor<Float>(shape: [count]).pointer) % 64 == 0)
    }
  }

  @Test func aWorkspaceReusesMemoryOfTheSameName() {
    let workspace = Workspace<Float>()
    workspace.tensor("a", [10])[0] = 3
    #expect(workspace.tensor("a", [2, 4])[0] == 3)
    #expect(workspace.tensor("b", [1])[0] == 0)
    #expect(workspace.tensor("a", [11])[0] == 0, "a larger tensor gets memory of its own")
  }

  #if DEBUG
    /// Two users of one name would write over each other's numbers. A tensor that is released, or
    /// has another name, is no obstacle: the tests above need it.
    @Test func aNameInUseIsNotGivenAgain() async {
      await #expect(processExitsWith: .failure) {
        let workspace = Workspace<Float>()
        let first = workspace.tensor("a", [10])
        let second = workspace.tensor("a", [10])
        first[0] = second[0]
      }
    }
  #endif

  @Test func aLayoutPlacesParametersOneAfterTheOther() {
    var layout = ParameterLayout()
    layout.add("a", shape: [2, 3])
    layout.add("b", shape: [4])
    #expect(layout.count == 10)
    #expect(layout["b"]?.range == 6..<10)
    let buffer = ParameterBuffer<Float>(layout)
    buffer["b"][1] = 2
    #expect(buffer.flat[7] == 2)
    let sharded = ShardedBuffer<Float>(layout, shards: 2)
    sharded[1]["a"][0] = 1
    #expect(sharded.flat[10] == 1)
  }
}
