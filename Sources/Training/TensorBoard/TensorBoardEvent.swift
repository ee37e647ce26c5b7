/// One event of a TensorBoard file, TensorFlow's message `Event`.
///
///     Event    1: double wall_time   2: int64 step   3: string file_version
///              5: Summary summary    7: SessionLog session_log
///     Summary  1: repeated Value,    Value 1: string tag   2: float simple_value
///
/// These six fields are all that scalars need: fewer lines than the code that a compiler of
/// protocol buffers would make, and no library to build.
struct TensorBoardEvent {
  enum Content {
    /// The first event of a file.
    case version
    /// What follows starts at this event's step: what older files have of it and later is void.
    case start
    case scalars([(tag: String, value: Float)])
  }

  /// Seconds since 1970.
  var wallTime: Double
  var step: Int
  var content: Content

  /// The message in protocol buffers' wire format.
  var message: [UInt8] {
    var event = WireMessage()
    event.add(1, wallTime)
    event.add(2, step)
    switch content {
    case .version: event.add(3, Array("brain.Event:2".utf8))
    case .start:
      var log = WireMessage()
      log.add(1, 1)  // START
      event.add(7, log.bytes)
    case .scalars(let scalars):
      var summary = WireMessage()
      for (tag, value) in scalars {
        var item = WireMessage()
        item.add(1, Array(tag.utf8))
        item.add(2, value)
        summary.add(1, item.bytes)
      }
      event.add(5, summary.bytes)
    }
    return event.bytes
  }

  /// The message as a TFRecord: its length and its bytes, each with a checksum behind it.
  var record: [UInt8] {
    let message = message
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(CRC32C.masked(length)) + message
      + littleEndian(CRC32C.masked(message))
  }
}

/// Fields of a protocol buffer, one after the other.
private struct WireMessage {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: Int, _ value: Double) {
    addKey(field, wireType: 1)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func add(_ field: Int, _ value: Float) {
    addKey(field, wireType: 5)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func add(_ field: Int, _ value: Int) {
    addKey(field, wireType: 0)
    addVarint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    addKey(field, wireType: 2)
    addVarint(UInt64(value.count))
    bytes += value
  }

  private mutating func addKey(_ field: Int, wireType: Int) {
    addVarint(UInt64(field << 3 | wireType))
  }

  private mutating func addVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

private func littleEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Number($0 * 8)) }
}
