import CanonicalJSON

extension RunLayout {
  /// The division that a run's configuration says, under `count` and `shard_size`.
  ///
  /// - Parameters:
  ///   - configuration: what run.json holds.
  ///   - path: run.json, for messages.
  /// - Throws: ``DatasetError`` `malformed` where one of them is missing or out of range.
  init(configuration: JSONValue, path: String) throws {
    func number(_ key: String) throws -> Int {
      guard let value = configuration[key]?.integer, (1...Self.sampleLimit).contains(value) else {
        let found = configuration[key].map { String($0.text.prefix(60)) } ?? "nothing"
        throw DatasetError(
          .malformed, path: path,
          "\"\(key)\" is \(found), expected a whole number from 1 to \(Self.sampleLimit)")
      }
      return value
    }
    self.init(sampleCount: try number("count"), shardSize: try number("shard_size"))
  }
}
