import Generation

/// Words for a scene.
enum ScenePrompt {
  /// What prompts begin with; the plain one comes oftenest.
  private static let openings = [
    "a photo of ", "a photo of ", "a photo of ", "a photograph of ", "a picture of ",
    "a picture of ",
    "an image of ", "a good photo of ", "a close-up photo of ", "",
  ]

  /// A sentence that names all objects, and in seven of ten cases the place where that has words.
  static func draw(
    _ objects: [PromptText.Object], place: String?, _ stream: inout ChoiceStream
  ) -> PromptText {
    var text = PromptText()
    text.append(openings[stream.next(below: openings.count)])
    text.append(stream.permutation(objects.count).map { objects[$0] })
    let saysPlace = stream.next(below: 10) < 7
    if let place, saysPlace { text.append(" " + place) }
    return text
  }
}
