import CanonicalJSON
import Checkpoints
import TensorCore

/// The file of a state: one safetensors file, written whole or not at all.
///
/// Tensors are `parameter.KEY`, `buffer.KEY`, `mean.KEY`, `square.KEY`, `average.KEY` and `step`; the metadata hold the
/// settings and what is trained.
extension TrainingState {
  static let metadataKey = "triptych_training"
  private static let format: Int64 = 1
  private static let stepKey = "step"

  /// - Throws: `CheckpointError` where the file cannot be written; what was there before then stays.
  func write(to path: String, _ settings: TrainingSettings, task: String) throws {
    let notes: JSONValue = [
      "format": .integer(Self.format), "task": .string(task), "settings": settings.json,
    ]
    var writer = SafetensorsWriter(metadata: [Self.metadataKey: notes.canonicalText])
    for (part, tensors) in parts {
      for (key, tensor) in tensors { writer.add("\(part).\(key)", tensor) }
    }
    writer.add(Self.stepKey, integers: [Int64(step)], shape: [1])
    try writer.write(to: path)
  }

  private var parts: [(String, [String: Tensor])] {
    [
      ("parameter", parameters), ("buffer", buffers), ("mean", means), ("square", squares),
      ("average", averages),
    ]
  }

  /// - Throws: `CheckpointError` where the file is damaged, no state, or one of another task or with other settings.
  init(path: String, _ settings: TrainingSettings, task: String) throws {
    let file = try SafetensorsFile(path: path)
    try Self.checkNotes(file, settings, task: task)
    var parts: [String: [String: Tensor]] = [:]
    for key in file.keys where key != Self.stepKey {
      guard let dot = key.firstIndex(of: "."),
        ["parameter", "buffer", "mean", "square", "average"].contains(key[..<dot])
      else {
        throw CheckpointError(
          .unusedTensors, file: path, key: key,
          "has no place in a training state; the file is damaged")
      }
      parts[String(key[..<dot]), default: [:]][String(key[key.index(after: dot)...])] =
        try file.tensor(key)
    }
    step = try Self.step(file, limit: settings.schedule.total)
    parameters = parts["parameter"] ?? [:]
    buffers = parts["buffer"] ?? [:]
    means = parts["mean"] ?? [:]
    squares = parts["square"] ?? [:]
    averages = parts["average"] ?? [:]
    try check(means, "mean", isKept: settings.keepsMeans, path)
    try check(squares, "square", isKept: settings.keepsSquares, path)
    try check(averages, "average", isKept: settings.averageDecay != nil, path)
    for (key, tensor) in squares.sorted(by: { $0.key < $1.key }) {
      if let value = tensor.values.first(where: { $0 < 0 }) {
        throw CheckpointError(
          .malformed, file: path, key: "square.\(key)",
          "found \(value), expected averages of squares from 0; the file is damaged")
      }
    }
  }

  /// Each parameter has its companion of the same shape, and nothing else has.
  private func check(
    _ tensors: [String: Tensor], _ part: String, isKept: Bool, _ path: String
  ) throws {
    let expected = isKept ? parameters : [:]
    for key in Set(expected.keys).union(tensors.keys).sorted() {
      guard tensors[key]?.shape != expected[key]?.shape else { continue }
      let found = tensors[key].map { "shape \($0.shape)" } ?? "nothing"
      throw CheckpointError(
        tensors[key] == nil ? .missingTensor : .wrongShape, file: path, key: "\(part).\(key)",
        "found \(found), expected \(expected[key].map { "shape \($0.shape)" } ?? "nothing") "
          + "beside the parameter; the file is damaged")
    }
  }

  private static func step(_ file: SafetensorsFile, limit: Int) throws -> Int {
    let values = try file.integers(stepKey)
    guard values.count == 1, let step = Int(exactly: values[0]), (0...limit).contains(step) else {
      throw CheckpointError(
        .malformed, file: file.name, key: stepKey,
        "found \(values.prefix(2)), expected one number from 0 to \(limit)")
    }
    return step
  }

  private static func checkNotes(
    _ file: SafetensorsFile, _ settings: TrainingSettings, task: String
  ) throws {
    guard let text = file.metadata[metadataKey] else {
      throw CheckpointError(
        .unsupported, file: file.name,
        "is no training state: it lacks the metadata \(metadataKey)")
    }
    let notes: JSONValue
    do {
      notes = try JSONValue.parse(Array(text.utf8))
    } catch {
      throw CheckpointError(
        .malformed, file: file.name, key: metadataKey, "is not valid JSON: \(error)")
    }
    guard notes["format"] == .integer(format) else {
      throw CheckpointError(
        .unsupported, file: file.name, key: "\(metadataKey).format",
        "found \(notes["format"]?.text ?? "nothing"), expected \(format)")
    }
    guard notes["task"]?.string == task else {
      throw CheckpointError(
        .unsupported, file: file.name, key: "\(metadataKey).task",
        "found \(JSONError.excerpt(of: notes["task"]?.string ?? "nothing")), expected "
          + "\(JSONError.excerpt(of: task)): it is the state of another training")
    }
    try compare(notes["settings"] ?? .null, settings.json, "settings", file.name)
  }

  /// Names the first setting that differs.
  private static func compare(
    _ found: JSONValue, _ expected: JSONValue, _ place: String, _ path: String
  ) throws {
    if let members = expected.members, found.members != nil {
      for member in members {
        try compare(found[member.name] ?? .null, member.value, "\(place).\(member.name)", path)
      }
    }
    guard found.canonicalText != expected.canonicalText else { return }
    throw CheckpointError(
      .unsupported, file: path, key: "\(metadataKey).\(place)",
      "the training was begun with \(JSONError.excerpt(of: found.text)), now asked for is "
        + "\(JSONError.excerpt(of: expected.text)); go on with the former, or begin anew elsewhere")
  }
}
