import CanonicalJSON
import DatasetFormat
import Imaging

/// What the page shows of the run as a whole: data/run.js.
struct GalleryFacts {
  private let run: RunContents
  private let statistics: RunStatistics
  private let command: RemakeCommand
  private let scores: [JSONValue]

  init(
    _ run: RunContents, statistics: RunStatistics, scripts: GalleryScripts, command: RemakeCommand
  ) {
    self.run = run
    self.statistics = statistics
    self.command = command
    scores = zip(GalleryScripts.scores, scripts.usedScores).map { score, isUsed in
      [.string(score.label), .bool(isUsed)]
    }
  }

  /// The facts; texts of the run are values throughout, never names.
  var members: [JSONValue.Member] {
    let tally = statistics.tally
    return [
      .init("name", .string(name)), .init("samples", .integer(Int64(tally.samples))),
      .init("accepted", .integer(Int64(tally.accepted))),
      .init("list_size", .integer(Int64(GalleryScripts.listSize))),
      .init("detail_size", .integer(Int64(GalleryScripts.detailSize))),
      .init("thumbnail_limit", RunGallery.thumbnailRule),
      .init("scores", .array(scores)),
      .init("has_split", .bool(statistics.hasSplit)),
      .init("is_filtered", .bool(run.appliedRules != nil)), .init("classes", classes),
      .init("ignored_colour", .string(MaskOverlay.ignoredColour.description)),
      .init(
        "reasons",
        .array(
          tally.rejectedByReason.sorted { $0.key < $1.key }.map {
            [.string($0.key), .integer(Int64($0.value))]
          })),
      .init(
        "placeholders",
        .array(command.placeholders.map { [.string($0.name), .string($0.meaning)] })),
      .init(
        "licence",
        run.configuration["model"]?["licence"] ?? run.configuration["world"]?["licence"] ?? .null),
      .init("configuration", .string(run.configuration.canonicalText)),
    ] + statistics.distributions
  }

  /// The run folder's own name: where it lies is nobody's business but its owner's.
  private var name: String {
    run.path.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? "run"
  }

  private var classes: JSONValue {
    .array(
      statistics.perClass.map { entry, counts in
        [
          "id": .integer(Int64(entry.id)), "name": .string(entry.name),
          "aliases": .array(entry.aliases.map { .string($0) }),
          "colour": .string(entry.colour.description), "split": .string(entry.split.rawValue),
          "images": .integer(Int64(counts.images)), "accepted": .integer(Int64(counts.accepted)),
          "pixels": .integer(Int64(counts.pixels)),
        ]
      })
  }
}
