extension TemplateSet {
  /// The sentences as published code fills them: `slot` stands where the object's name goes, and articles stay as they
  /// are written ("a photo of a apple"); weights do not count.
  ///
  /// - Throws: ``GenerationError`` where a template has another slot than one `{object}` or `{objects}`.
  public func literal(slot: String) throws -> [String] {
    try templates.map { template in
      for name in ["{object}", "{objects}"] {
        guard let place = template.text.firstRange(of: name) else { continue }
        let (before, after) = (
          template.text[..<place.lowerBound], template.text[place.upperBound...]
        )
        if !before.contains("{"), !after.contains("{") {
          return String(before) + slot + String(after)
        }
      }
      throw GenerationError(
        .malformed, name,
        "the template \"\(template.text)\" cannot be used as it is; expected one {object} and no other slot")
    }
  }
}
