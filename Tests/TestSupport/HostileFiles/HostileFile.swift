public import Testing

/// A file of weights that breaks a rule, and what its refusal must say.
///
/// Each is refused where it is opened by `WeightFile.open`, or where its tensors are read.
public struct HostileFile: Sendable, CustomTestStringConvertible {
  /// What is wrong, in a few words that can be a file name.
  public let name: String
  /// Words that the error's one line holds.
  public let says: String
  /// The whole file.
  public let bytes: @Sendable () -> [UInt8]

  init(_ name: String, _ says: String, _ bytes: @escaping @Sendable () -> [UInt8]) {
    self.name = name
    self.says = says
    self.bytes = bytes
  }

  /// Its name.
  public var testDescription: String { name }

  /// Every one.
  public static let all = zip + pickle + large + other

  /// Values in a sound dictionary of tensors.
  static func state(_ members: [(String, [UInt8])]) -> [UInt8] {
    let tensor = Pickled.tensor(Pickled.storage("0", count: 12), shape: [3, 4], strides: [4, 1])
    return Pickled.dictionary([("w", tensor)] + members)
  }
}
