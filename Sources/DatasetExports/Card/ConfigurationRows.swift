import CanonicalJSON

/// The values of a JSON object, one row each, keys joined with dots.
struct ConfigurationRows {
  /// The longest value, in characters; the rest stands in the file itself.
  private static let valueLimit = 300

  /// Keys and values in the order of the keys.
  let rows: [(String, String)]

  init(_ object: JSONValue) {
    var rows: [(String, String)] = []
    Self.add(object, "", &rows)
    self.rows = rows
  }

  private static func add(_ value: JSONValue, _ key: String, _ rows: inout [(String, String)]) {
    if let members = value.members {
      for member in members.sorted(by: { $0.name < $1.name }) {
        add(member.value, key.isEmpty ? member.name : "\(key).\(member.name)", &rows)
      }
      return
    }
    if value.isNull { return }
    var text = ""
    if let elements = value.elements {
      for (position, element) in elements.enumerated() {
        let next = (position == 0 ? "" : ", ") + plain(element)
        if text.count + next.count > valueLimit {
          text += " … (\(elements.count) entries)"
          break
        }
        text += next
      }
    } else {
      text = plain(value)
      if text.count > valueLimit { text = text.prefix(valueLimit) + " …" }
    }
    rows.append((key, text))
  }

  private static func plain(_ value: JSONValue) -> String { value.string ?? value.text }
}
