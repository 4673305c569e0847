import TensorCore

/// LoRA files fitted to one model: every pair has found its layer, and every layer knows its pairs.
public struct LoRAMerge: Sendable {
  struct Addend: Sendable {
    var file: LoRAFile
    var pair: LoRAFile.Pair
    var factor: Float
  }

  private var addends: [LoRAComponent: [String: [Addend]]] = [:]

  /// Nothing to merge.
  public init() {}

  /// Finds the layer of every pair.
  ///
  /// - Parameters:
  ///   - loras: the files in the order in which they are added, each with its weight.
  ///   - parts: the tensors of each part of the model.
  /// - Throws: ``CheckpointError`` where a file was made for another model, with the first pair that does not fit.
  public init(
    _ loras: [(file: LoRAFile, weight: Double)],
    parts: [LoRAComponent: any WeightSource]
  ) throws {
    var layers: [LoRAComponent: LoRALayers] = [:]
    for (component, source) in parts { layers[component] = LoRALayers(component, source) }
    for (file, weight) in loras {
      var misfits: [LoRAMisfit] = []
      var taken: Set<String> = []
      for pair in file.pairs {
        guard let component = pair.component, let source = parts[component],
          let key = layers[component]?.weightKey(pair.layer), let record = source.record(key)
        else {
          misfits.append(LoRAMisfit(pair: pair, weight: nil))
          continue
        }
        guard pair.fits(record.shape) else {
          misfits.append(LoRAMisfit(pair: pair, weight: record.shape))
          continue
        }
        guard taken.insert("\(component.rawValue).\(key)").inserted else {
          throw CheckpointError(
            .malformed, file: file.name, key: pair.downKey, "a second pair for the layer of \(key)")
        }
        let addend = Addend(file: file, pair: pair, factor: Float(weight * pair.scale))
        addends[component, default: [:]][key, default: []].append(addend)
      }
      if !misfits.isEmpty { throw LoRAMisfit.error(misfits, in: file, parts: parts) }
    }
  }

  /// The pairs whose products are added to a weight of a part, in their order.
  public func pairs(_ component: LoRAComponent, _ key: String) -> [LoRAFile.Pair] {
    addends[component]?[key]?.map(\.pair) ?? []
  }

  /// The tensors of a part with the products added as they are read.
  public func merged(_ component: LoRAComponent, _ source: any WeightSource) -> any WeightSource {
    guard let own = addends[component] else { return source }
    return MergedSource(base: source, addends: own)
  }
}

/// A part of a model whose weights get their LoRA products when they are read, one product at a time.
private struct MergedSource: WeightSource {
  let base: any WeightSource
  let addends: [String: [LoRAMerge.Addend]]

  var name: String { base.name }
  var keys: [String] { base.keys }

  func record(_ key: String) -> TensorRecord? { base.record(key) }

  func tensor(_ key: String) throws -> Tensor {
    let stored = try base.tensor(key)
    return try addends[key, default: []].reduce(stored) { weight, addend in
      let product = try addend.file.product(addend.pair).reshaped(weight.shape)
      let sum = combined(weight, 1, product, addend.factor)
      guard sum.isFinite else {
        throw CheckpointError(
          .notFinite, file: addend.file.name, key: addend.pair.downKey,
          "added \(addend.factor) times, the model's weight is no longer finite; give a smaller weight"
        )
      }
      return sum
    }
  }
}

extension LoRAFile.Pair {
  /// Whether the product can be added to a weight of this shape.
  func fits(_ shape: [Int]) -> Bool {
    func spread(_ shape: [Int]) -> [Int] { shape.count == 2 ? shape + [1, 1] : shape }
    return spread(shape) == [outputs] + spread(downShape).dropFirst()
  }
}

/// A pair that does not fit a model.
struct LoRAMisfit {
  var pair: LoRAFile.Pair
  /// The shape of the model's layer; nil where it has none of that name.
  var weight: [Int]?

  /// What to say of a file with such pairs.
  static func error(
    _ misfits: [LoRAMisfit], in file: LoRAFile, parts: [LoRAComponent: any WeightSource]
  ) -> CheckpointError {
    let first = misfits[0]
    let outcome =
      first.weight.map { weight in
        "its product has \(first.pair.outputs) rows and the shape \(first.pair.downShape.dropFirst()) behind, the "
          + "model's weight is \(weight)"
      } ?? "the model has no such layer"
    var text = "\(outcome); \(misfits.count) of \(file.pairs.count) pair(s) do not fit"
    let known = file.likelyModel.map { ": the file looks made for \($0)" }
    text += known ?? ": a LoRA for another model"
    if let width = LoRAFile.textWidth(of: parts[.unet]) {
      text += ", this one's text is \(width) wide"
    }
    return CheckpointError(
      first.weight == nil ? .unusedTensors : .wrongShape, file: file.name, key: first.pair.downKey,
      text)
  }
}

extension LoRAFile {
  /// The family of models whose widths the file has, as people call it; nil where it does not show.
  public var likelyModel: String? {
    if pairs.contains(where: { $0.downKey.hasPrefix("lora_te2_") })
      || pairs.contains(where: { $0.downKey.hasPrefix("text_encoder_2.") })
    {
      return "Stable Diffusion XL"
    }
    if pairs.contains(where: {
      $0.downKey.hasPrefix("transformer.") || $0.downKey.hasPrefix("lora_transformer_")
        || $0.layer.hasPrefix("double_blocks")
    }) {
      return "a diffusion transformer such as Stable Diffusion 3 or Flux"
    }
    let text = pairs.first { $0.component == .unet && $0.layer.hasSuffix("attn2_to_k") }
    let projection = pairs.first {
      $0.component == .textEncoder && $0.layer.hasSuffix("self_attn_q_proj")
    }
    guard let width = (text ?? projection)?.downShape[1] else { return nil }
    let names = [
      768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL",
    ]
    return names[width].map { "\($0) (text width \(width))" }
      ?? "a model whose text is \(width) wide"
  }

  /// The width of the text a denoiser listens to.
  static func textWidth(of unet: (any WeightSource)?) -> Int? {
    guard let unet, let key = unet.keys.first(where: { $0.hasSuffix("attn2.to_k.weight") }) else {
      return nil
    }
    return unet.record(key)?.shape.last
  }
}
