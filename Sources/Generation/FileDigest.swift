import Crypto
import DatasetFormat

/// SHA-256 of files, in lower-case hexadecimal.
public enum FileDigest {
  /// The digest of a file, read in pieces.
  ///
  /// - Throws: ``GenerationError`` where it is absent or cannot be read.
  public static func sha256(of path: String) throws -> String {
    var hasher = SHA256()
    try FileAccess.forEachPiece(of: path, size: 1 << 20) { piece in
      piece.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    }
    return ContentHash.hexadecimal(hasher.finalize())
  }
}
