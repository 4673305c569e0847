public import CanonicalJSON
import MaskGrounding

extension Inspection {
  /// What was found, as `inspect.json` has it.
  ///
  /// - Parameters:
  ///   - prompt: what the picture shows.
  ///   - about: how the picture came about, put in behind the prompt.
  /// - Returns: an object; entities stand in the order of their ids in the mask.
  public func json(prompt: String, about: [JSONValue.Member]) -> JSONValue {
    let found = entities.enumerated().map { index, entity in
      JSONValue.object(
        [
          .init("name", .string(entity.name)), .init("id", .integer(Int64(entity.classID))),
          .init("words", .string(entity.words)), .init("named", .bool(entity.isNamed)),
        ] + Self.members(composed.scores[index])
          + [
            .init("parts", .integer(Int64(composed.scores[index].partCount))),
            .init("touches_border", .bool(composed.scores[index].touchesBorder)),
          ])
    }
    var members: [JSONValue.Member] = [.init("prompt", .string(prompt))]
    members += about
    members.append(.init("entities", .array(found)))
    if !steps.isEmpty { members.append(.init("steps_sweep", .array(steps.map(stepJSON)))) }
    return .object(members)
  }

  private func stepJSON(_ step: Step) -> JSONValue {
    let found = entities.enumerated().map { index, entity in
      JSONValue.object([.init("name", .string(entity.name))] + Self.members(step.scores[index]))
    }
    return .object([
      .init("step", .integer(Int64(step.step))), .init("timestep", .integer(Int64(step.timestep))),
      .init("entities", .array(found)),
    ])
  }

  private static func members(_ score: EntityScore) -> [JSONValue.Member] {
    [
      .init("present", .bool(score.isPresent)), .init("presence", rounded(score.presence)),
      .init("area", rounded(score.area)), .init("confidence", rounded(score.confidence)),
      .init("edge_confidence", rounded(score.edgeConfidence)),
    ]
  }

  /// Six places, as in records.
  private static func rounded(_ value: Float) -> JSONValue {
    .number((Double(value) * 1e6).rounded() / 1e6)
  }
}
