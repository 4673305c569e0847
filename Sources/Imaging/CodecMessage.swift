/// The message that a C codec leaves where it fails.
enum CodecMessage {
  /// Calls a codec and throws what it said.
  ///
  /// - Parameters:
  ///   - format: the format's name, put before the message.
  ///   - capacity: bytes of a message with its zero.
  ///   - body: calls the codec with room for a message; nil where it succeeded.
  /// - Throws: ``ImagingError`` with the code that `body` gives.
  static func checked(
    format: String, capacity: Int,
    _ body: (UnsafeMutablePointer<CChar>) -> ImagingError.Code?
  ) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
      buffer.initialize(repeating: 0)
      guard let message = buffer.baseAddress else {
        throw ImagingError(.outOfMemory, "out of memory")
      }
      guard let code = body(message) else { return }
      throw ImagingError(code, "\(format): " + String(cString: message))
    }
  }
}
