// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What happens if the system cannot allocate memory for a tensor.
public enum OutOfMemory {
  /// Ends the process. It is called on any thread, with the number of requested bytes.
  public static var handler: @Sendable (_ bytes: Int) -> Never {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  private static let current = Mutex<@Sendable (Int) -> Never> { bytes in
    fatalError("cannot allocate \(bytes) bytes of memory")
  }
}
