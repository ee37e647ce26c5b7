// SPDX-License-Identifier: Apache-2.0

import MPI

func checkPointToPoint(_ checker: Checker, on group: Communicator) throws(MPIError) {
  for count in [0, 1, 7, 1000, 100_003] {
    try checkPairs(checker, group, count)
    try checkRing(checker, group, count)
    try checkExchange(checker, group, count)
  }
  try checkNudges(checker, group)
  try checkArrivals(checker, group)
  try checkTags(checker, group)
  try checkErrors(checker, group)
}

private func content(_ count: Int, of rank: Int) -> [Float] {
  (0..<count).map { Float(1000 * rank + $0 % 997) }
}

/// Each even rank sends to the odd one after it, and gets the answer doubled.
private func checkPairs(
  _ checker: Checker, _ group: Communicator, _ count: Int
) throws(MPIError) {
  let rank = group.rank
  let sent = content(count, of: rank - rank % 2)
  let answer = sent.map { 2 * $0 }
  var buffer = [Float](repeating: -1, count: count + 3)
  var received = count
  if rank % 2 == 0, rank + 1 < group.size {
    try group.send(sent.span, to: rank + 1, tag: 5)
    var span = buffer.mutableSpan
    received = try group.receive(into: &span, from: rank + 1, tag: 6)
    checker.expect("answer of \(count)", Array(buffer.prefix(count)), answer)
  } else if rank % 2 == 1 {
    var span = buffer.mutableSpan
    received = try group.receive(into: &span, from: rank - 1, tag: 5)
    checker.expect("message of \(count)", Array(buffer.prefix(count)), sent)
    try group.send(answer.span, to: rank - 1, tag: 6)
  } else {
    checker.expect("nobody to send to", buffer.count, count + 3)
  }
  checker.expect("received count", received, count)
  checker.expect("rest of the buffer", Array(buffer.suffix(3)), [-1, -1, -1])
}

/// Ranks that differ in the last bit exchange their numbers; the odd one sends one number less.
private func checkExchange(
  _ checker: Checker, _ group: Communicator, _ count: Int
) throws(MPIError) {
  let peer = group.rank ^ 1
  guard count > 0, peer < group.size else {
    return checker.expect("nobody to exchange with", count, count)
  }
  func part(_ rank: Int) -> [Float] { content(count - rank % 2, of: rank) }
  var incoming = [Float](repeating: -1, count: part(peer).count)
  var span = incoming.mutableSpan
  try group.exchange(part(group.rank).span, with: peer, into: &span, tag: 3)
  checker.expect("exchange of \(count)", incoming, part(peer))
}

/// A nudge goes round; the messages of another tag wait meanwhile.
private func checkNudges(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  guard group.size > 1 else { return }
  let (left, right) = (
    (group.rank + group.size - 1) % group.size, (group.rank + 1) % group.size
  )
  let other = try group.isend(UnsafeBufferPointer<Float>(start: nil, count: 0), to: right, tag: 8)
  if group.rank == 0 { try group.nudge(right, tag: 9) }
  try group.awaitNudge(from: left, tag: 9)
  if group.rank != 0 { try group.nudge(right, tag: 9) }
  var nothing: [Float] = []
  var span = nothing.mutableSpan
  checker.expect("of the other tag", try group.receive(into: &span, from: left, tag: 8), 0)
  try other.wait()
}

/// Rank 0 takes the messages of all others as they arrive, of whatever length.
private func checkArrivals(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  guard group.rank == 0 else {
    let bytes = [UInt8](repeating: UInt8(group.rank % 251), count: 5000 * (group.rank - 1))
    let message = try group.post(bytes, to: 0, tag: 11)
    while try !message.hasLeft() {}
    checker.expect("nothing for others", try group.receiveIfArrived(tag: 11) == nil, true)
    try group.barrier()
    return checker.expect("no more", try group.receiveIfArrived(tag: 11) == nil, true)
  }
  var sizes = [Int?](repeating: nil, count: group.size)
  sizes[0] = -5000
  while sizes.contains(nil) {
    guard let (source, bytes) = try group.receiveIfArrived(tag: 11) else { continue }
    sizes[source] = bytes.allSatisfy { $0 == UInt8(source % 251) } ? bytes.count : -1
  }
  checker.expect("arrived", sizes, (0..<group.size).map { 5000 * ($0 - 1) })
  try group.barrier()
  checker.expect("no more", try group.receiveIfArrived(tag: 11) == nil, true)
}

/// Every rank sends to both neighbours at once and receives from both.
private func checkRing(
  _ checker: Checker, _ group: Communicator, _ count: Int
) throws(MPIError) {
  let left = (group.rank + group.size - 1) % group.size
  let right = (group.rank + 1) % group.size
  for style in ["wait", "test", "waitAll"] {
    let sent = content(count, of: group.rank)
    let out = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    let fromLeft = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    let fromRight = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer {
      out.deallocate()
      fromLeft.deallocate()
      fromRight.deallocate()
    }
    _ = out.initialize(from: sent)
    fromLeft.initialize(repeating: -1)
    fromRight.initialize(repeating: -1)

    let requests = [
      try group.ireceive(into: fromLeft, from: left, tag: 1),
      try group.ireceive(into: fromRight, from: right, tag: 2),
      try group.isend(UnsafeBufferPointer(out), to: right, tag: 1),
      try group.isend(UnsafeBufferPointer(out), to: left, tag: 2),
    ]
    switch style {
    case "wait": for request in requests.reversed() { try request.wait() }
    case "test": for request in requests { while try !request.test() {} }
    default: try Request.waitAll(requests)
    }
    checker.expect("complete after \(style)", requests.map(\.isComplete), [true, true, true, true])
    checker.expect("\(style) from left", Array(fromLeft), content(count, of: left))
    checker.expect("\(style) from right", Array(fromRight), content(count, of: right))
    // A complete request may be waited for again.
    try Request.waitAll(requests)
    checker.expect("test after \(style)", try requests[0].test(), true)
  }
  try Request.waitAll([])
}

/// Messages of different tags are taken in another order than they were sent in.
private func checkTags(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  let right = (group.rank + 1) % group.size
  let left = (group.rank + group.size - 1) % group.size
  let out = UnsafeMutableBufferPointer<Int>.allocate(capacity: 3)
  defer { out.deallocate() }
  _ = out.initialize(from: (0..<3).map { 10 * group.rank + $0 })
  var requests: [Request] = []
  for tag in 0..<3 {
    let value = UnsafeBufferPointer(rebasing: out[tag..<tag + 1])
    requests.append(try group.isend(value, to: right, tag: tag))
  }
  for tag in [2, 0, 1] {
    var value = [-1]
    var span = value.mutableSpan
    try group.receive(into: &span, from: left, tag: tag)
    checker.expect("tag \(tag)", value, [10 * left + tag])
  }
  try Request.waitAll(requests)
}

private func checkErrors(_ checker: Checker, _ group: Communicator) throws(MPIError) {
  checker.expectError("send to nobody", "MPI_ERR_RANK") { () throws(MPIError) in
    try group.send([1, 2, 3].span, to: group.size)
  }

  // A message to oneself that is longer than the buffer.
  let out = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 10)
  defer { out.deallocate() }
  out.initialize(repeating: 1)
  let request = try group.isend(UnsafeBufferPointer(out), to: group.rank, tag: 9)
  checker.expectError("too long a message", "MPI_ERR_TRUNCATE") { () throws(MPIError) in
    var short: [UInt8] = [0, 0, 0]
    var span = short.mutableSpan
    try group.receive(into: &span, from: group.rank, tag: 9)
  }
  try request.wait()

  // A receive that is released is cancelled, and does not take the next message.
  do {
    let unused = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 10)
    defer { unused.deallocate() }
    _ = try group.ireceive(into: unused, from: group.rank, tag: 10)
  }
  let next = try group.isend(UnsafeBufferPointer(out), to: group.rank, tag: 10)
  var received = [UInt8](repeating: 0, count: 10)
  var span = received.mutableSpan
  try group.receive(into: &span, from: group.rank, tag: 10)
  try next.wait()
  checker.expect("message after a cancelled receive", received, [UInt8](repeating: 1, count: 10))
}
