public import CanonicalJSON

/// A key whose value differs between two configurations.
public struct ConfigurationDifference: Sendable, Equatable, CustomStringConvertible {
  /// The key, with dots between the names of nested objects.
  public var key: String
  /// The value in the run folder; nil where the key is not there.
  public var found: JSONValue?
  /// The value of the command that was given; nil where the key is not there.
  public var wanted: JSONValue?

  /// One phrase for people.
  public var description: String { described(found: "in the folder", wanted: "now") }

  /// One phrase that says where the two configurations are.
  func described(found foundPlace: String, wanted wantedPlace: String) -> String {
    "\(key) is \(shown(found)) \(foundPlace) and \(shown(wanted)) \(wantedPlace)"
  }

  private func shown(_ value: JSONValue?) -> String {
    guard let text = value?.text else { return "absent" }
    return text.count > 60 ? "\(text.prefix(57))..." : text
  }

  /// The longest list whose elements are compared one by one.
  private static let listLimit = 16

  /// All keys that differ, sorted.
  ///
  /// The order of members does not count; short lists of objects are compared by position, from 0.
  ///
  /// - Parameters:
  ///   - found: the run folder's configuration.
  ///   - wanted: the new configuration.
  /// - Returns: the differences; none where the canonical texts are equal.
  public static func between(
    _ found: JSONValue, _ wanted: JSONValue
  ) -> [ConfigurationDifference] {
    between(found, wanted, prefix: "")
  }

  private static func between(
    _ found: JSONValue, _ wanted: JSONValue, prefix: String
  ) -> [ConfigurationDifference] {
    if let old = found.elements, let new = wanted.elements, old.count == new.count,
      1...listLimit ~= old.count, (old + new).allSatisfy({ $0.members != nil })
    {
      return zip(old, new).enumerated().flatMap { position, pair in
        between(pair.0, pair.1, prefix: "\(prefix).\(position)")
      }
    }
    guard let foundMembers = found.members, let wantedMembers = wanted.members else {
      if found.canonicalText == wanted.canonicalText { return [] }
      return [ConfigurationDifference(key: prefix, found: found, wanted: wanted)]
    }
    let names = Set((foundMembers + wantedMembers).map(\.name)).sorted()
    return names.flatMap { name -> [ConfigurationDifference] in
      let key = prefix.isEmpty ? name : "\(prefix).\(name)"
      guard let old = found[name], let new = wanted[name] else {
        return [ConfigurationDifference(key: key, found: found[name], wanted: wanted[name])]
      }
      return between(old, new, prefix: key)
    }
  }
}

extension DatasetError {
  /// What to say where a folder was made with another configuration than the one that is wanted.
  package static func configuration(
    _ found: [UInt8], differsFrom wanted: JSONValue, path: String, in folder: String
  ) -> DatasetError {
    let differences: [ConfigurationDifference]
    do {
      differences = ConfigurationDifference.between(try JSONValue.parse(found), wanted)
    } catch {
      return DatasetError(
        .malformed, path: path, "no JSON: \(error); remove the file's folder or choose another")
    }
    let keys = differences.map(\.description).joined(separator: "; ")
    return DatasetError(
      .configurationDiffers, path: path,
      "\(folder) was made with another configuration: "
        + (keys.isEmpty ? "the same values, otherwise written" : keys)
        + "; choose another folder or the same configuration")
  }
}
