import Checkpoints

/// Shapes that tell a network's sizes, read from a file that may say anything.
struct StoredShapes {
  let source: any WeightSource
  /// What the network's keys begin with, with the dot.
  let prefix: String

  /// The shape of a tensor with so many axes.
  ///
  /// - Throws: `CheckpointError` where it is absent, has other axes, or one of them is empty or beyond `limit`.
  func callAsFunction(_ key: String, axes: Int, limit: Int = 65_536) throws -> [Int] {
    guard let shape = source.record(prefix + key)?.shape else {
      throw CheckpointError(
        .missingTensor, file: source.name, key: prefix + key,
        "the tensor is missing, and the sizes of the network with it")
    }
    guard shape.count == axes, shape.allSatisfy({ (1...limit).contains($0) }) else {
      throw CheckpointError(
        .wrongShape, file: source.name, key: prefix + key,
        "found shape \(shape), expected \(axes) axes of 1 to \(limit)")
    }
    return shape
  }

  /// How many parts there are whose numbers stand behind `stem`: one more than the largest number.
  ///
  /// - Throws: `CheckpointError` where there are none, or more than `limit`.
  func count(_ stem: String, limit: Int = 256) throws -> Int {
    let start = prefix + stem
    let numbers = source.keys.compactMap { key in
      key.hasPrefix(start)
        ? key.dropFirst(start.count).split(separator: ".").first.flatMap { Int($0) } : nil
    }
    guard let last = numbers.max(), (0..<limit).contains(last) else {
      throw CheckpointError(
        numbers.isEmpty ? .missingTensor : .unsupported, file: source.name, key: start + "0",
        numbers.isEmpty
          ? "the tensors of this part are missing" : "found more than \(limit) such parts")
    }
    return last + 1
  }
}
