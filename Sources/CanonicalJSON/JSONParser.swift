extension JSONValue {
  /// Parses a whole text, strictly: RFC 8259, valid UTF-8, no name twice in an object, nothing behind the
  /// value, numbers finite and whole ones within 64 bits.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - depthLimit: how deep arrays and objects may nest.
  /// - Returns: the value.
  /// - Throws: ``JSONError`` with the byte position.
  public static func parse(
    _ bytes: some Collection<UInt8>, depthLimit: Int = 64
  ) throws(JSONError) -> JSONValue {
    // Typed errors do not pass through the standard library's closure, a result does.
    let inPlace = bytes.withContiguousStorageIfAvailable { buffer in
      Result { () throws(JSONError) in try document(buffer, depthLimit: depthLimit) }
    }
    if let inPlace { return try inPlace.get() }
    return try Array(bytes).withUnsafeBufferPointer { (buffer) throws(JSONError) in
      try document(buffer, depthLimit: depthLimit)
    }
  }

  private static func document(
    _ bytes: UnsafeBufferPointer<UInt8>, depthLimit: Int
  ) throws(JSONError) -> JSONValue {
    var reader = JSONReader(bytes, depthLimit: depthLimit)
    let value = try reader.value()
    try reader.end()
    return value
  }
}
