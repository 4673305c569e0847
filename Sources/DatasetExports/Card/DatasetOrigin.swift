import CanonicalJSON

/// Where the pictures of a run come from: what a card may say of them.
enum DatasetOrigin {
  /// A diffusion model drew them; the model's licence where the run states it.
  case generated(licence: String?)
  /// Cut-outs were put over photographs; the pack's licence where it states one.
  case composed(licence: String?)
  /// They were read from another data set; its licence where its user stated one.
  case imported(licence: String?)

  /// Reads a run's configuration.
  init(configuration: JSONValue) {
    func licence(_ key: String) -> String? { configuration[key]?["licence"]?.string }
    if configuration["import"] != nil {
      self = .imported(licence: licence("import"))
    } else if configuration["world"] != nil {
      self = .composed(licence: licence("world"))
    } else {
      self = .generated(licence: licence("model"))
    }
  }

  /// What the title says before the classes.
  var title: String {
    switch self {
    case .generated, .composed: "Synthetic segmentation data"
    case .imported: "Segmentation data"
    }
  }

  /// What the card's head says of pictures and masks, for the hub.
  var hubTags: (annotators: String, sources: String, tags: [String]) {
    switch self {
    case .generated, .composed: ("machine-generated", "original", ["synthetic", "triptych"])
    case .imported: ("other", "extended", ["triptych"])
    }
  }

  /// The sentences of the card's first paragraph behind its title, and whose licence holds beside the data set's own.
  var introduction: (text: String, licence: String) {
    switch self {
    case .generated(let licence):
      (
        """
        the prompt each was made from. Everything here is
        synthetic: a diffusion model drew the pictures from words, and the masks were read off the model. No person looked
        at them.
        """,
        "Licence of the model that drew the pictures:\n\(Self.shown(licence, "not stated by the run"))"
      )
    case .composed(let licence):
      (
        """
        a prompt that says what each shows. Everything here is synthetic:
        cut-outs of things were put over photographs of places, so the masks are exact. No person looked at them.
        """,
        "Licence of cut-outs and photographs:\n\(Self.shown(licence, "not stated by the pack"))"
      )
    case .imported(let licence):
      (
        """
        what its data set says of it. Pictures and masks
        were read from another data set; nothing here was made by this program.
        """,
        "Licence of that data set:\n\(Self.shown(licence, "not stated when it was read"))"
      )
    }
  }

  /// What the note on licences says of the makers of the pictures.
  var licenceNote: String {
    switch self {
    case .generated(let licence):
      let model = licence.map { "The model's licence as its card states it: \($0)." }
      return """
        Pictures and masks were made by a generative model, whose own licence may set terms for what it makes.
        \(model ?? "The run does not state the model's licence.")
        """
    case .composed(let licence):
      let pack = licence.map { "Their licence as the pack states it: \($0)." }
      return """
        Pictures were composed of other people's cut-outs and photographs, whose licences hold for them.
        \(pack ?? "The pack does not state their licence.")
        """
    case .imported(let licence):
      let source = licence.map { "Its licence as stated when it was read: \($0)." }
      return """
        Pictures and masks were read from another data set, whose licence holds for them.
        \(source ?? "Nobody stated it when the set was read.")
        """
    }
  }

  /// The card's section on limits, without its heading.
  var limits: String {
    switch self {
    case .generated:
      """
      Masks are estimates: edges may be off by a few pixels, thin parts may be missing, and an object that no class was
      asked for counts as background. Pictures may show objects wrongly, doubled or cut off. Text in pictures is seldom
      readable. Biases of the model's training pictures carry over to the pictures here.
      """
    case .composed:
      """
      Masks are exact for the things of the prompt; what a background itself shows counts as background. Sizes, light and
      company of things are drawn at random and not as in the world.
      """
    case .imported:
      """
      Masks are as good as those of the data set they were read from. Where its objects overlapped, the smaller one lies
      on top; crowds and void are ignored pixels. Instances are those of this export, not of that data set.
      """
    }
  }

  private static func shown(_ licence: String?, _ otherwise: String) -> String {
    MarkdownText.escaped(licence ?? otherwise)
  }
}
