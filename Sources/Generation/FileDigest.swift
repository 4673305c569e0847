import Crypto
import Glibc

/// SHA-256 of files and bytes, in lower-case hexadecimal.
public enum FileDigest {
  /// The digest of a file, read in pieces.
  ///
  /// - Throws: ``GenerationError`` where it is absent or cannot be read.
  public static func sha256(of path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, path, "cannot be opened: \(errorText())")
    }
    defer { close(descriptor) }
    var hasher = SHA256()
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw GenerationError(.unreadable, path, "cannot be read: \(errorText())")
      }
      if count == 0 { break }
      chunk.withUnsafeBytes { hasher.update(bufferPointer: .init(rebasing: $0[..<count])) }
    }
    return hexadecimal(hasher.finalize())
  }

  /// The digest of bytes.
  public static func sha256(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

  private static func hexadecimal(_ digest: SHA256.Digest) -> String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
