import Generation
import Imaging

/// Composes scenes of one subset of a pack.
///
/// A scene is a pure function of pack, classes, subset, settings and its seed. It may be asked for on any thread and in
/// any order; pictures come from the pack's cache.
public struct SceneComposer: Sendable {
  /// How often a scene is laid out before it is given up.
  static let attemptLimit = 64
  /// How often the same things are laid out before others are taken.
  private static let layoutsOfContent = 8

  /// A class that scenes may show.
  private struct Source: Sendable {
    /// Its position in the classes.
    var position: Int
    /// For each thing its views, as numbers of cut-outs.
    var things: [[Int]]
  }

  /// What a scene shows.
  private struct Content {
    /// The number of its place.
    var place: Int
    /// The classes, each with its cut-outs.
    var shown: [(position: Int, cutouts: [Int])]
  }

  /// Where pictures come from.
  public let pack: WorldPack
  /// What they are called.
  public let classes: WorldClasses
  /// Which of them are used.
  public let subset: WorldSubset
  /// What scenes are like.
  public let settings: SceneSettings
  /// Classes of the pack that have no cut-outs in this subset, and so are in no scene.
  public let emptyClasses: [String]

  private let sources: [Source]
  private let places: [Int]

  /// Prepares scenes.
  ///
  /// - Throws: `GenerationError` where the subset has no place or too few classes.
  public init(
    _ pack: WorldPack, classes: WorldClasses, subset: WorldSubset, settings: SceneSettings
  ) throws {
    (self.pack, self.classes, self.subset, self.settings) = (pack, classes, subset, settings)
    let takesHeldOutPlaces = subset != .train
    places = pack.places.indices.filter { pack.places[$0].isHeldOut == takesHeldOutPlaces }
    guard !places.isEmpty else {
      throw GenerationError(
        .malformed, pack.path,
        "no background is \(takesHeldOutPlaces ? "held out" : "for training"), so subset \(subset.rawValue) has no place"
      )
    }
    var things: [Int: [String: [Int]]] = [:]
    for (number, cutout) in pack.cutouts.enumerated() where subset.takes(cutout, of: pack) {
      guard let position = classes.classOfCategory[cutout.category] else { continue }
      things[position, default: [:]]["\(cutout.category)/\(cutout.thing)", default: []]
        .append(number)
    }
    let side = settings.only
    sources = things.sorted { $0.key < $1.key }.filter { position, _ in
      side.map { classes.classes[position].named.split == $0 } ?? true
    }.map { position, things in
      Source(
        position: position, things: things.sorted { $0.key < $1.key }.map(\.value))
    }
    let known = Set(classes.classOfCategory.compactMap(\.self))
    emptyClasses = known.subtracting(things.keys).sorted().map { classes.classes[$0].named.name }
    guard sources.count >= settings.objects.most else {
      throw GenerationError(
        .malformed, pack.path,
        "\(sources.count) class(es) have cut-outs in subset \(subset.rawValue)"
          + (side.map { " and are marked \($0.rawValue)" } ?? "")
          + "; scenes of \(settings.objects.most) need as many")
    }
  }

  /// The classes that scenes may show, as positions in ``classes``.
  public var shownClasses: [Int] { sources.map(\.position) }

  /// The scene at a place of a run: the one whose seed `SampleSeed` derives for the first attempt.
  ///
  /// - Throws: as ``scene(seed:)``.
  public func scene(run: UInt64, index: Int) throws -> Scene {
    try scene(seed: SampleSeed.derive(run: run, index: UInt64(index), attempt: 0))
  }

  /// The scene of a seed.
  ///
  /// Of each object at least 0.5 % of the picture is seen, and four tenths of what lies in it; a layout that hides more
  /// is drawn again, after some with other things.
  ///
  /// - Throws: `GenerationError` where a picture cannot be read or no layout will do.
  public func scene(seed: UInt64) throws -> Scene {
    for attempt in 0..<Self.attemptLimit {
      let content = content(seed, round: attempt / Self.layoutsOfContent)
      var stream = ChoiceStream(run: seed, purpose: .scenePlacement, number: attempt)
      let cutouts = content.shown.flatMap { one in one.cutouts.map { (one.position, $0) } }
      let order = stream.permutation(cutouts.count).map { cutouts[$0] }
      let placements = Placement.draw(order.count, side: settings.side, &stream)
      let layers = try zip(order, placements).map { object, placement in
        ObjectLayer(try pack.cutout(object.1), placement, side: settings.side)
      }
      let cover = SceneCover(layers, side: settings.side)
      guard cover.isAcceptable else { continue }
      return try scene(seed, content, order, layers, cover, &stream)
    }
    throw GenerationError(
      .malformed, pack.path,
      "no scene came about in \(Self.attemptLimit) attempts: cut-outs are too thin for "
        + "\(settings.side) x \(settings.side) pixels, or too many; take a larger --size or fewer --objects"
    )
  }

  private func content(_ seed: UInt64, round: Int) -> Content {
    var fixed = ChoiceStream(run: seed, purpose: .sceneContent, number: 0)
    // However often things are drawn again, their number stays: large scenes must not become rare.
    let count = settings.objects.draw(&fixed)
    let isDouble = fixed.next(below: 100) < settings.doubles
    var stream = ChoiceStream(run: seed, purpose: .sceneContent, number: 1 + round)
    let place = places[stream.next(below: places.count)]
    var chosen: [Int] = []
    while chosen.count < count {
      let one = stream.next(below: sources.count)
      if !chosen.contains(one) { chosen.append(one) }
    }
    let shown = chosen.enumerated().map { number, one -> (position: Int, cutouts: [Int]) in
      let source = sources[one]
      let isCountable = classes.classes[source.position].named.isCountable
      let copies = isDouble && number == 0 && isCountable ? 2 : 1
      return (
        source.position,
        (0..<copies).map { _ in
          let views = source.things[stream.next(below: source.things.count)]
          return views[stream.next(below: views.count)]
        }
      )
    }
    return Content(place: place, shown: shown)
  }

  private func scene(
    _ seed: UInt64, _ content: Content, _ order: [(position: Int, cutout: Int)],
    _ layers: [ObjectLayer], _ cover: SceneCover, _ stream: inout ChoiceStream
  ) throws -> Scene {
    let crop = SceneCanvas.Crop.draw(&stream)
    let light = SceneLight.draw(&stream)
    var canvas = SceneCanvas(try pack.place(content.place), crop, side: settings.side)
    for layer in layers { canvas.add(layer, light: light) }
    let ids = order.map { UInt16(classes.classes[$0.position].id) }
    var mask = try LabelMask(
      width: settings.side, height: settings.side, repeating: LabelMask.background)
    mask.relabel { place in
      let owner = Int(cover.owners[place])
      return owner == 0 ? LabelMask.background : ids[owner - 1]
    }
    let objects = order.indices.map { number in
      Scene.Object(
        classID: Int(ids[number]), file: pack.cutouts[order[number].cutout].file,
        pixels: layers[number].solidCount, visiblePixels: cover.visible[number])
    }
    var words = ChoiceStream(run: seed, purpose: .scenePrompt, number: 0)
    let text = ScenePrompt.draw(
      content.shown.map { one in
        PromptText.Object(
          position: one.position, named: classes.classes[one.position].named,
          count: one.cutouts.count)
      }, place: pack.places[content.place].words, &words)
    let entities = text.mentions.map { mention in
      let (id, named) = classes.classes[mention.classPosition]
      return Scene.Entity(
        name: named.name, classID: id, words: mention.words, range: mention.range,
        count: mention.count,
        pixels: objects.reduce(0) { $0 + ($1.classID == id ? $1.visiblePixels : 0) })
    }
    return Scene(
      seed: seed, image: try canvas.image(), mask: mask, objects: objects, entities: entities,
      prompt: text.text, place: pack.places[content.place].file)
  }
}
