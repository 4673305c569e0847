/// An sRGB colour of 8 bits a channel.
public struct Colour: Sendable, Hashable, CustomStringConvertible {
  /// The red share, 0 to 255.
  public var red: UInt8
  /// The green share, 0 to 255.
  public var green: UInt8
  /// The blue share, 0 to 255.
  public var blue: UInt8

  /// Mixes a colour.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// Reads `#rrggbb`; nil where the text is anything else.
  public init?(hexadecimal text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 7, bytes[0] == UInt8(ascii: "#") else { return nil }
    var value = 0
    for byte in bytes.dropFirst() {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value << 4 | digit
    }
    self.init(UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255))
  }

  /// The form `#rrggbb`, in lower case.
  public var description: String {
    let digits = Array("0123456789abcdef")
    let text = [red, green, blue].map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }
    return "#" + text.joined()
  }
}
