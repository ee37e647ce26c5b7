// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  internal import Darwin
#else
  internal import Glibc
#endif

/// Returns whether the system can allocate this many bytes.
///
/// Swift traps if an array cannot be allocated, and a damaged file may declare a huge one. Small
/// sizes are not tried. The test uses `mmap`, because the compiler may remove a `malloc` whose
/// result is not used.
func canAllocate(_ bytes: Int) -> Bool {
  if bytes < 1 << 28 { return true }
  let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
  guard memory != MAP_FAILED else { return false }
  munmap(memory, bytes)
  return true
}

/// Returns why a file cannot be opened, or `nil` if it can. If the file is a pipe, this does not
/// wait for a writer.
func reasonNotToOpen(_ path: String, writing: Bool) -> String? {
  let file = open(path, (writing ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC)
  guard file >= 0 else {
    return errno == ENOENT ? "no such file" : String(cString: strerror(errno))
  }
  defer { close(file) }
  var status = stat()
  guard fstat(file, &status) == 0 else { return String(cString: strerror(errno)) }
  switch status.st_mode & S_IFMT {
  case S_IFREG: return nil
  case S_IFDIR: return "this is a directory"
  default: return "this is not a regular file (a pipe, socket or device)"
  }
}
