extension JSONValue {
  /// The value in one line, members in their order; numbers in their shortest form that reads back equal.
  public var text: String {
    var out = ""
    write(to: &out, indent: nil, sorting: false)
    return out
  }

  /// The value with members sorted by name, two spaces of indentation and a newline at the end: equal
  /// values give equal bytes.
  public var canonicalText: String {
    var out = ""
    write(to: &out, indent: 0, sorting: true)
    return out + "\n"
  }

  private func write(to out: inout String, indent: Int?, sorting: Bool) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += "\(value)"
    case .number(let value): out += Self.shortest(value)
    case .string(let value): Self.writeQuoted(value, to: &out)
    case .array(let elements):
      Self.writeList(
        elements, open: "[", close: "]", to: &out, indent: indent
      ) { element, out, inner in
        element.write(to: &out, indent: inner, sorting: sorting)
      }
    case .object(let members):
      let ordered =
        sorting
        ? members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        : members
      Self.writeList(
        ordered, open: "{", close: "}", to: &out, indent: indent
      ) { member, out, inner in
        Self.writeQuoted(member.name, to: &out)
        out += inner == nil ? ":" : ": "
        member.value.write(to: &out, indent: inner, sorting: sorting)
      }
    }
  }

  private static func writeList<Item>(
    _ items: [Item], open: String, close: String, to out: inout String, indent: Int?,
    item write: (Item, inout String, Int?) -> Void
  ) {
    out += open
    for (index, item) in items.enumerated() {
      if index > 0 { out += "," }
      if let indent { out += "\n" + String(repeating: "  ", count: indent + 1) }
      write(item, &out, indent.map { $0 + 1 })
    }
    if let indent, !items.isEmpty { out += "\n" + String(repeating: "  ", count: indent) }
    out += close
  }

  /// Whole numbers are written without a fraction, so that 5 and 5.0 give the same bytes.
  private static func shortest(_ value: Double) -> String {
    precondition(value.isFinite, "JSON has no \(value)")
    if let whole = Int64(exactly: value), abs(value) < 1e15 { return "\(whole)" }
    return "\(value)"
  }

  private static func writeQuoted(_ string: String, to out: inout String) {
    out += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7f}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
