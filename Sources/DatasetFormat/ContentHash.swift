import Crypto

/// The SHA-256 of bytes, as 64 hexadecimal digits.
public enum ContentHash {
  /// The hash of all bytes.
  public static func sha256(_ bytes: some Collection<UInt8>) -> String {
    hexadecimal(SHA256.hash(data: Array(bytes)))
  }

  /// Whether a text has the form of a hash.
  public static func isWellFormed(_ text: String) -> Bool {
    let digits = text.utf8
    return digits.count == 64
      && digits.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  /// The digits of a digest.
  public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
