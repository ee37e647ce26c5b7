// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#endif

/// The terminal that a stream of this process writes to.
public enum Terminal {
  /// The number of columns of a descriptor's terminal: from the terminal, or else the environment
  /// variable COLUMNS, or else 80.
  ///
  /// The corresponding C function is `ioctl`, with `TIOCGWINSZ`.
  public static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 {
      return columns
    }
    return 80
  }
}
