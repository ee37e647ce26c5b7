// SPDX-License-Identifier: Apache-2.0

internal import CHDF5

extension Dataset {
  /// The most bytes of a chunk that is read. To read one number of a chunk, HDF5 reads the whole
  /// chunk.
  static let maximumChunkBytesToRead = 1 << 28

  /// An upper limit on compression by any filter. Deflate comes close to it with zeros.
  private static let maximumCompression = 1100

  /// The shape of the chunks in which the dataset is stored; `nil` if it is not chunked.
  ///
  /// The corresponding C function is `H5Pget_chunk`.
  public func chunk() throws(HDF5Error) -> [Int]? {
    try withCreationProperties { (properties) throws(HDF5Error) in
      guard H5Pget_layout(properties) == H5D_CHUNKED else { return nil }
      var extents = [hsize_t](repeating: 0, count: max(shape.count, 1))
      try call("read the chunks", handle.path) {
        H5Pget_chunk(properties, CInt(extents.count), &extents)
      }
      return extents.map { Int(clamping: $0) }
    }
  }

  /// The bytes that the dataset takes in the file.
  ///
  /// The corresponding C function is `H5Dget_storage_size`.
  public var storedBytes: Int { Int(clamping: H5Dget_storage_size(handle.id)) }

  /// Throws unless this file has all numbers that the shape declares.
  ///
  /// A virtual dataset, an external link and external storage take numbers from another file, and
  /// read as zeros if that file is missing. Chunks that were never written also read as zeros. A
  /// declared size that the file cannot hold is refused, because memory would be allocated for it.
  /// Chunks compressed by a filter that this process does not have are refused too.
  public func requireStored() throws(HDF5Error) {
    func refuse(_ reason: String, cure: String? = nil) -> HDF5Error {
      HDF5Error("use", handle.path, reason, cure: cure)
    }
    try requireOwnFile()
    guard hasPlausibleType else { throw refuse("its type is damaged") }
    let compresses = try withCreationProperties { (properties) throws(HDF5Error) in
      switch H5Pget_layout(properties) {
      case H5D_VIRTUAL:
        throw refuse(
          "it is virtual, a view of other datasets that may be missing",
          cure: "name the files that it refers to, or copy it with h5py: g[name] = f[name][...]")
      case H5D_CONTIGUOUS where H5Pget_external_count(properties) > 0:
        throw refuse(
          "its numbers are stored outside the file", cure: "copy them into it with h5repack")
      default: return H5Pget_nfilters(properties) > 0
      }
    }
    if let chunk = try chunk() {
      let bytes = elementCount(chunk)?.multipliedReportingOverflow(by: elementBytes)
      guard let bytes, !bytes.overflow, bytes.partialValue <= Self.maximumChunkBytesToRead else {
        throw refuse(
          "its chunks are \(chunk), more than \(Self.maximumChunkBytesToRead >> 20) MB each",
          cure: "make them smaller with h5repack")
      }
    }
    let declared = count.multipliedReportingOverflow(by: elementBytes)
    let (room, overflow) = min(storedBytes, try fileBytes())
      .multipliedReportingOverflow(by: compresses ? Self.maximumCompression : 1)
    let missing = try missingChunks()
    guard !declared.overflow, overflow || declared.partialValue <= room else {
      throw refuse(
        "shape \(shape) is declared, but only \(storedBytes) bytes are stored"
          + (missing.map { ": \($0)" } ?? ""),
        cure: missing?.cure ?? (storedBytes == 0 ? MissingChunks.writeFillValue : nil))
    }
    if let missing { throw refuse(missing.description, cure: missing.cure) }
    try requireFilters()
  }

  /// Whether the bits of a number lie within its bytes. HDF5 1.10 does not check this, and reads
  /// beyond its memory if the type is damaged.
  private var hasPlausibleType: Bool {
    let own = H5Dget_type(handle.id)
    defer { H5Tclose(own) }
    guard H5Tget_class(own) == H5T_ENUM else { return isPlausible(own) }
    let base = H5Tget_super(own)
    defer { H5Tclose(base) }
    return isPlausible(base)
  }

  private func isPlausible(_ type: hid_t) -> Bool {
    let kind = H5Tget_class(type)
    guard kind == H5T_INTEGER || kind == H5T_FLOAT else { return true }
    let bits = H5Tget_size(type) * 8
    let (offset, precision) = (Int(H5Tget_offset(type)), H5Tget_precision(type))
    guard offset >= 0, 1...bits ~= precision, offset <= bits - precision else { return false }
    if kind == H5T_INTEGER { return true }
    var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
    guard H5Tget_fields(type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits) >= 0 else {
      return false
    }
    return 0..<bits ~= sign && 0...bits ~= exponent && 0...bits - exponent ~= exponentBits
      && 0...bits ~= mantissa && 0...bits - mantissa ~= mantissaBits
  }

  /// The bytes of an element in the file.
  private var elementBytes: Int {
    let type = H5Dget_type(handle.id)
    defer { H5Tclose(type) }
    return max(1, H5Tget_size(type))
  }

  /// Throws if the dataset was found through a link to another file.
  private func requireOwnFile() throws(HDF5Error) {
    let length = try call("name the file of", handle.path) { H5Fget_name(handle.id, nil, 0) }
    var name = [CChar](repeating: 0, count: length + 1)
    try call("name the file of", handle.path) { H5Fget_name(handle.id, &name, name.count) }
    let own = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard handle.path.hasPrefix("\(own):/") else {
      throw HDF5Error(
        "use", handle.path, "it is a link to the file \(own.debugDescription)",
        cure: "name that file instead")
    }
  }

  private func fileBytes() throws(HDF5Error) -> Int {
    let file = try call("find the file of", handle.path) { H5Iget_file_id(handle.id) }
    defer { H5Fclose(file) }
    var bytes: hsize_t = 0
    try call("measure", handle.path) { H5Fget_filesize(file, &bytes) }
    return Int(clamping: bytes)
  }

  func withCreationProperties<Value>(
    _ body: (hid_t) throws(HDF5Error) -> Value
  ) throws(HDF5Error) -> Value {
    let properties = try call("read the layout", handle.path) { H5Dget_create_plist(handle.id) }
    defer { H5Pclose(properties) }
    return try body(properties)
  }
}
