public import CanonicalJSON
import DatasetFormat

extension RunStatistics {
  /// `samples`, `accepted`, `rejected_by_reason` and `per_class`, then what else was counted; for a command's result.
  public var members: [JSONValue.Member] {
    let common = tally.members.filter { $0.name != "per_class" }
    let perClass = perClass.sorted { $0.entry.name < $1.entry.name }.map { entry, counts in
      JSONValue.Member(entry.name, counts.json)
    }
    return common + [.init("per_class", .object(perClass))] + distributions
  }

  /// What was counted beside samples and classes.
  var distributions: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if hasSplit {
      members.append(
        .init(
          "per_split",
          ["seen": counts(of: .seen).json, "unseen": counts(of: .unseen).json]))
    }
    return members + [
      .init("planned", .integer(Int64(planned))),
      .init("missing_shards", .string(ShardSelection.text(missingShards))),
      .init("masks", .integer(Int64(masks))),
      .init(
        "pixels",
        [
          "all": .integer(Int64(allPixels)), "background": .integer(Int64(backgroundPixels)),
          "ignored": .integer(Int64(ignoredPixels)),
        ]), .init("area", areas.json), .init("confidence", confidences.json),
      .init("edge_confidence", edgeConfidences.json), .init("places", places.json),
    ]
  }
}

extension RunStatistics.Counts {
  /// All counts by name.
  var json: JSONValue {
    [
      "images": .integer(Int64(images)), "pixels": .integer(Int64(pixels)),
      "accepted": .integer(Int64(accepted)), "attempts": .integer(Int64(attempts)),
    ]
  }
}
