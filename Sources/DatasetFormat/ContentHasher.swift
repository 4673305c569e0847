import Crypto

/// The SHA-256 of bytes that come piece by piece.
public struct ContentHasher: Sendable {
  private var state = SHA256()

  /// Of no bytes yet.
  public init() {}

  /// Adds the next bytes.
  public mutating func update(_ bytes: [UInt8]) { state.update(data: bytes) }

  /// The hash of all bytes so far, as 64 hexadecimal digits.
  public var sha256: String { ContentHash.hexadecimal(digest) }

  /// The hash of all bytes so far, 32 bytes.
  public var digest: [UInt8] { Array(state.finalize()) }
}
