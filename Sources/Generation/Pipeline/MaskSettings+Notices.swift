import MaskGrounding

extension MaskSettings {
  /// What to tell people before a run: entities that will be found in no picture, in one line.
  ///
  /// - Parameter prompts: the prompts written by hand.
  /// - Returns: the line; nil where all will be looked for.
  /// - Throws: `EntityError` where a name cannot be one.
  public func notice(for prompts: [String]) throws -> String? {
    guard case .attention = source, !entities.isEmpty else { return nil }
    let finder = EntityFinder(try EntityList.entities(entities))
    let named = Set(prompts.flatMap { finder.mentions(in: $0).map(\.index) })
    let missing = finder.entities.indices.filter { !named.contains($0) }
      .map { "\"\(finder.entities[$0].name)\"" }
    guard let first = missing.first else { return nil }
    let names =
      missing.count == 1
      ? "entity \(first)"
      : "\(missing.count) entities (\(missing.prefix(3).joined(separator: ", "))"
        + (missing.count > 3 ? ", …)" : ")")
    return names
      + ": no prompt names \(missing.count == 1 ? "it" : "them"), and attention finds only what a prompt names"
  }
}
