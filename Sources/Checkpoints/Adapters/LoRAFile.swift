import CanonicalJSON
public import TensorCore

/// A LoRA: for some layers of a model two thin matrices whose product is added to the layer's weights.
///
/// When it is opened, keys, shapes and the scalars are checked; the matrices are read one pair at a time.
///
/// - Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), section 4.1.
public final class LoRAFile: Sendable {
  /// The two matrices of a layer.
  public struct Pair: Sendable {
    /// The part of the model; nil for one that no Stable Diffusion 1 or 2 model has.
    public let component: LoRAComponent?
    /// The layer with underscores between all names.
    let layer: String
    /// The key of the matrix that comes first, [rank, inputs] or [rank, inputs, height, width].
    public let downKey: String
    /// The key of the one behind it, [outputs, rank] or [outputs, rank, 1, 1].
    public let upKey: String
    /// The number of rows in between.
    public let rank: Int
    /// What the product is multiplied by beside `alpha / rank`; as much as the rank where the file does not say.
    public let alpha: Double
    let downShape: [Int]
    /// The number of rows of the product.
    public let outputs: Int
    /// The number of columns of the product: inputs, or inputs · height · width.
    public var columns: Int { downShape.dropFirst().reduce(1, *) }
    /// `alpha / rank`, or as rank-stabilised files have it, alpha over the root of the rank.
    let scale: Double
  }

  /// The most rows between the two matrices of a layer.
  static let rankLimit = 4096

  /// The path of the file.
  public let name: String
  /// The pairs, sorted by the keys of their first matrices.
  public let pairs: [Pair]
  /// How many numbers the file holds.
  public let parameterCount: Int
  /// How many tensors are stored in each type.
  public let typeCounts: [ElementType: Int]
  private let file: SafetensorsFile

  /// Opens a file and checks that it is a LoRA.
  ///
  /// - Throws: ``CheckpointError`` with the first tensor that is wrong, and where the file is of another kind, such
  ///   as LoHa or DoRA, with its name.
  public convenience init(path: String) throws {
    guard let file = try WeightFile.open(path) as? SafetensorsFile else {
      throw CheckpointError(
        .unsupported, file: path,
        "LoRA files are read as safetensors alone; save this one as safetensors")
    }
    try self.init(file)
  }

  /// Whether these tensors are a LoRA's, or of a kind near it.
  public static func isLoRA(_ source: any WeightSource) -> Bool {
    source.keys.contains { name in
      if let key = LoRAKey(name) { return key.role != .alpha }
      return (name.hasPrefix("lora_") || name.hasPrefix("lycoris_"))
        && LoRARelative.name(of: name) != nil
    }
  }

  private init(_ file: SafetensorsFile) throws {
    self.file = file
    name = file.name
    parameterCount = file.parameterCount
    typeCounts = file.typeCounts
    for key in file.keys {
      guard let relative = LoRARelative.name(of: key) else { continue }
      throw CheckpointError(
        .unsupported, file: file.name, key: key, "this is \(relative), only plain LoRA is merged")
    }
    let groups = try Self.groups(file)
    let scales = try LoRAScales(file)
    pairs = try groups.sorted { $0.key < $1.key }.map { try Self.pair($1, file, scales) }
  }

  /// The keys of one layer.
  private struct Group {
    var sample: LoRAKey
    var down: String?
    var up: String?
    var alpha: String?
  }

  private static func groups(_ file: SafetensorsFile) throws -> [String: Group] {
    var groups: [String: Group] = [:]
    var stranger: String?
    for name in file.keys {
      guard let key = LoRAKey(name) else {
        stranger = stranger ?? name
        continue
      }
      var group = groups[key.stem] ?? Group(sample: key)
      let other: String?
      switch key.role {
      case .down: (other, group.down) = (group.down, name)
      case .up: (other, group.up) = (group.up, name)
      case .alpha: (other, group.alpha) = (group.alpha, name)
      }
      if let other {
        throw CheckpointError(
          .malformed, file: file.name, key: name,
          "stands for the same matrix as \(JSONError.excerpt(of: other))")
      }
      groups[key.stem] = group
    }
    guard !groups.isEmpty else {
      throw CheckpointError(
        .unsupported, file: file.name, key: file.keys.first,
        "this is no LoRA file; expected pairs such as ….lora_down.weight and ….lora_up.weight, or ….lora_A.weight "
          + "and ….lora_B.weight")
    }
    if let stranger {
      throw CheckpointError(
        .unsupported, file: file.name, key: stranger,
        "this tensor has no place in a LoRA; the file is of a kind that is not known here")
    }
    return groups
  }

  private static func pair(
    _ group: Group, _ file: SafetensorsFile, _ scales: LoRAScales
  ) throws -> Pair {
    guard let downKey = group.down, let upKey = group.up else {
      let half = group.down ?? group.up ?? group.alpha
      let missing = group.down == nil && group.up == nil ? "both matrices are" : "its other half is"
      throw CheckpointError(
        .missingTensor, file: file.name, key: half, "\(missing) missing; the file is damaged")
    }
    let down = try shape(downKey, file)
    let up = try shape(upKey, file)
    let rank = down[0]
    guard up[1] == rank, up.dropFirst(2).allSatisfy({ $0 == 1 }) else {
      throw CheckpointError(
        .wrongShape, file: file.name, key: upKey,
        "found shape \(up), expected [outputs, \(rank)] or [outputs, \(rank), 1, 1] beside its other half of shape "
          + "\(down)")
    }
    guard rank <= rankLimit else {
      throw CheckpointError(
        .unsupported, file: file.name, key: downKey,
        "the rank is \(rank), at most \(rankLimit) is read")
    }
    let stored = try group.alpha.map { try scales.stored($0, file) }
    let alpha = stored ?? scales.alpha(of: group.sample.stem) ?? Double(rank)
    let root = stored == nil && scales.isStabilised(group.sample.stem)
    return Pair(
      component: group.sample.component, layer: group.sample.layer, downKey: downKey, upKey: upKey,
      rank: rank, alpha: alpha, downShape: down, outputs: up[0],
      scale: alpha / (root ? Double(rank).squareRoot() : Double(rank)))
  }

  /// The shape of a matrix, or of a convolution.
  private static func shape(_ key: String, _ file: SafetensorsFile) throws -> [Int] {
    guard let record = file.record(key) else { throw CheckpointError.missing(key, in: file.name) }
    guard [2, 4].contains(record.shape.count), !record.shape.contains(0) else {
      throw CheckpointError(
        .wrongShape, file: file.name, key: key,
        "found shape \(record.shape), expected a matrix or a convolution's four axes")
    }
    guard record.type.isComputable else {
      throw CheckpointError(
        .unsupported, file: file.name, key: key,
        "stored as \(record.type.rawValue), which is not computed with; expected F32, F16 or BF16")
    }
    return record.shape
  }

  /// What a pair adds to its layer at weight 1, without `alpha / rank`.
  ///
  /// - Returns: [outputs, inputs · height · width].
  /// - Throws: ``CheckpointError`` where a value is not finite or the file was cut short.
  func product(_ pair: Pair) throws -> Tensor {
    let up = try file.tensor(pair.upKey).reshaped([pair.outputs, pair.rank])
    let down = try file.tensor(pair.downKey).reshaped([1, pair.rank, pair.columns, 1])
    let turned = down.channelsLast().reshaped([pair.columns, pair.rank])
    // In single precision whatever the run's is: it becomes a part of a weight, which is then kept as all others are.
    return linear(up, PackedWeights(linear: turned, precision: .exact))
  }
}
