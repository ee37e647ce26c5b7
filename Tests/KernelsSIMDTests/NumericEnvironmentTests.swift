// SPDX-License-Identifier: Apache-2.0

import BLAS
import Foundation
import Kernels
import Synchronization
import Testing

@Suite struct NumericEnvironmentTests {
  /// On a separate thread: a thread that has entered stays so, and other tests use denormal
  /// numbers.
  @Test func aThreadThatEntersTakesDenormalNumbersForZero() {
    let done = DispatchSemaphore(value: 0)
    let isEntered = Mutex(false)
    let thread = Thread {
      NumericEnvironment.enter()
      isEntered.withLock { $0 = NumericEnvironment.isEntered() }
      done.signal()
    }
    thread.start()
    done.wait()
    #expect(isEntered.withLock { $0 })
    #expect(OpenBLAS.threads == 1)
  }
}
