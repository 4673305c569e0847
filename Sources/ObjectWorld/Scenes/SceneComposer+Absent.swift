public import Generation

extension SceneComposer {
  /// Classes that a scene does not show, in a random order that follows from its seed.
  ///
  /// - Parameters:
  ///   - scene: the scene.
  ///   - limit: how many, at most.
  /// - Returns: their positions in ``classes``; fewer than asked for where there are no more.
  public func absentClasses(from scene: Scene, limit: Int) -> [Int] {
    let shown = Set(scene.entities.map(\.classID))
    var left = shownClasses.filter { !shown.contains(classes.classes[$0].id) }
    var stream = ChoiceStream(run: scene.seed, purpose: .absentClass, number: 0)
    return (0..<min(limit, left.count)).map { _ in left.remove(at: stream.next(below: left.count)) }
  }

  /// A prompt for a scene that names a class too which it does not show.
  ///
  /// - Parameters:
  ///   - scene: the scene.
  ///   - absent: the class, as a position in ``classes``.
  /// - Returns: the prompt, and where it names what.
  /// - Precondition: the scene does not show the class.
  public func prompt(
    for scene: Scene, naming absent: Int
  ) -> (text: String, mentions: [GenerationPlan.Mention]) {
    let shown = scene.entities.map { entity in
      let position = position(of: entity)
      precondition(position != absent, "the scene shows \(entity.name)")
      return PromptText.Object(
        position: position, named: classes.classes[position].named, count: entity.count)
    }
    let other = PromptText.Object(position: absent, named: classes.classes[absent].named)
    let words = pack.places.first { $0.file == scene.place }?.words
    var stream = ChoiceStream(run: scene.seed, purpose: .absentClass, number: 1)
    let text = ScenePrompt.draw(shown + [other], place: words, &stream)
    return (text.text, text.mentions)
  }

  /// The class of an entity of a scene, as a position in ``classes``.
  ///
  /// - Precondition: the scene is of these classes.
  public func position(of entity: Scene.Entity) -> Int {
    guard let position = classes.classes.firstIndex(where: { $0.id == entity.classID }) else {
      preconditionFailure("class \(entity.classID) is none of this world")
    }
    return position
  }
}
