extension JSONValue {
  /// Parses a whole text, strictly: RFC 8259, valid UTF-8, no name twice in an object, nothing behind the
  /// value, numbers finite and whole ones within 64 bits.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - depthLimit: how deep arrays and objects may nest.
  ///   - infinities: whether `Infinity` and `-Infinity` are numbers, as Python's `json` writes them.
  /// - Returns: the value.
  /// - Throws: ``JSONError`` with the byte position.
  public static func parse(
    _ bytes: some Collection<UInt8>, depthLimit: Int = 64, infinities: Bool = false
  ) throws(JSONError) -> JSONValue {
    // Typed errors do not pass through the standard library's closure, a result does.
    let inPlace = bytes.withContiguousStorageIfAvailable { buffer in
      Result { () throws(JSONError) in
        try document(JSONReader(buffer, depthLimit: depthLimit, infinities: infinities))
      }
    }
    if let inPlace { return try inPlace.get() }
    return try Array(bytes).withUnsafeBufferPointer { (buffer) throws(JSONError) in
      try document(JSONReader(buffer, depthLimit: depthLimit, infinities: infinities))
    }
  }

  private static func document(_ whole: JSONReader) throws(JSONError) -> JSONValue {
    var reader = whole
    let value = try reader.value()
    try reader.end()
    return value
  }
}
