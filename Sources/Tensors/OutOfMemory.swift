// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What happens if the system cannot allocate memory for a tensor.
public enum OutOfMemory {
  /// Ends the process. Any thread may call it, with the number of bytes that were requested.
  public static var handler: @Sendable (_ bytes: Int) -> Never {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  private static let current = Mutex<@Sendable (Int) -> Never> { bytes in
    fatalError("cannot allocate \(bytes) bytes of memory")
  }
}
