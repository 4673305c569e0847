import Checkpoints

/// The added tokens with the ids they get beside a vocabulary.
struct AddedVocabulary {
  /// The ids of the tokens with a role, by the role's key.
  private(set) var ids: [String: Int] = [:]
  /// The spelling of every added id.
  private(set) var spellings: [Int: String] = [:]
  /// The tokens sought in the text as given.
  private(set) var verbatim = AddedTokens()
  /// The tokens sought in the normalised text.
  private(set) var normalized = AddedTokens()

  /// Gives every token the id of its spelling in the vocabulary, or the next one behind the vocabulary.
  ///
  /// - Throws: `CheckpointError` if a token with a role has no id, or an id is taken or not the stated one.
  init(_ special: SpecialTokens, _ vocabulary: Vocabulary, _ file: ConfigurationFile) throws {
    var assigned: [[UInt8]: Int] = [:]
    var order: [(token: AddedToken, id: Int)] = []
    var places: [Int: Int] = [:]
    var next = vocabulary.count
    let roles = Set(special.named.values.map { Array($0.content.utf8) })
    for (token, stated) in special.listed {
      let spelling = Array(token.content.utf8)
      var id = vocabulary.id(token.content) ?? assigned[spelling]
      if id == nil {
        guard stated != nil || !roles.contains(spelling) else {
          throw file.fault(
            nil,
            "the special token \(quoted(token.content)) is not in vocab.json, expected it there")
        }
        id = next
        next += 1
        if let other = vocabulary.pieces[next - 1] {
          throw file.fault(
            nil,
            "the added token \(quoted(token.content)) gets the id \(next - 1), which is "
              + "\(quoted(other)) in vocab.json")
        }
      }
      guard let id, stated == nil || stated == id else {
        throw file.fault(
          nil,
          "the added token \(quoted(token.content)) has the id \(stated ?? -1), expected "
            + "\(id ?? -1) from the vocabulary's size")
      }
      assigned[spelling] = id
      spellings[id] = token.content
      if let place = places[id] {
        order[place].token = token
      } else {
        places[id] = order.count
        order.append((token, id))
      }
    }
    for (role, token) in special.named { ids[role] = assigned[Array(token.content.utf8)] }
    for (token, id) in order {
      let scalars = TextSplitting.scalars(token.content)
      let isNew =
        token.isNormalized
        ? normalized.add(TextSplitting.normalized(scalars), id: id) : verbatim.add(scalars, id: id)
      guard isNew else {
        throw file.fault(nil, "two added tokens read \(quoted(token.content)) once normalised")
      }
    }
  }
}
