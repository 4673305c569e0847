import CanonicalJSON
import TensorCore

/// What a LoRA file says about alpha: a scalar beside each pair, or diffusers' description of the training in the
/// metadata.
///
/// - Source: diffusers `loaders/lora_base.py` (`lora_adapter_metadata`), PEFT `LoraConfig`.
struct LoRAScales {
  private static let metadataKey = "lora_adapter_metadata"
  private static let metadataLimit = 4 << 20

  private struct Training {
    var alpha: Double?
    var patterns: [(suffix: String, alpha: Double)] = []
    var isStabilised = false
  }

  /// By the beginning of the keys: "unet.", "text_encoder.".
  private var trainings: [String: Training] = [:]

  /// Reads the metadata, where there is such.
  ///
  /// - Throws: ``CheckpointError`` where it is broken or asks for DoRA.
  init(_ file: SafetensorsFile) throws {
    guard let text = file.metadata[Self.metadataKey] else { return }
    func fault(_ message: String, _ code: CheckpointError.Code = .malformed) -> CheckpointError {
      CheckpointError(code, file: file.name, key: Self.metadataKey, message)
    }
    guard text.utf8.count <= Self.metadataLimit else {
      throw fault("\(text.utf8.count) bytes of metadata, at most \(Self.metadataLimit) are read")
    }
    let json: JSONValue
    do {
      json = try JSONValue.parse(Array(text.utf8))
    } catch {
      throw fault("not JSON: \(error)")
    }
    for component in LoRAComponent.allCases {
      let prefix = component.rawValue + "."
      var training = Training()
      if json[prefix + "use_dora"]?.bool == true {
        throw fault("use_dora: this is DoRA, only plain LoRA is merged", .unsupported)
      }
      training.isStabilised = json[prefix + "use_rslora"]?.bool ?? false
      if let alpha = json[prefix + "lora_alpha"] {
        training.alpha = try Self.finite(alpha, fault, "lora_alpha")
      }
      for member in json[prefix + "alpha_pattern"]?.members ?? [] {
        // The patterns may be regular expressions; what diffusers writes are names of layers.
        let suffix = member.name.first == "^" ? String(member.name.dropFirst()) : member.name
        guard suffix.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }) else {
          throw fault(
            "alpha_pattern: \"\(JSONError.excerpt(of: member.name))\" is not the name of a layer",
            .unsupported)
        }
        training.patterns.append((suffix, try Self.finite(member.value, fault, "alpha_pattern")))
      }
      trainings[prefix] = training
    }
  }

  /// The alpha of the layer whose keys begin with `stem`; nil where the metadata say nothing.
  func alpha(of stem: String) -> Double? {
    guard let (prefix, training) = training(of: stem) else { return nil }
    let layer = stem.dropFirst(prefix.count)
    let pattern = training.patterns.first { layer == $0.suffix || layer.hasSuffix("." + $0.suffix) }
    return pattern?.alpha ?? training.alpha
  }

  /// Whether alpha is divided by the root of the rank (rank-stabilised LoRA).
  func isStabilised(_ stem: String) -> Bool { training(of: stem)?.value.isStabilised ?? false }

  /// The scalar stored beside a pair.
  ///
  /// - Throws: ``CheckpointError`` where it is no finite number.
  func stored(_ key: String, _ file: SafetensorsFile) throws -> Double {
    guard let record = file.record(key), record.count == 1 else {
      throw CheckpointError(
        .wrongShape, file: file.name, key: key,
        "found shape \(file.record(key)?.shape ?? []), expected a single number")
    }
    let value: Double
    switch record.type {
    case .float16, .bfloat16, .float32, .float64: value = try file.doubles(key)[0]
    default: value = Double(try file.integers(key)[0])
    }
    guard Float(value).isFinite else {
      throw CheckpointError(
        .notFinite, file: file.name, key: key, "alpha is \(value), expected a finite number")
    }
    return value
  }

  private func training(of stem: String) -> (key: String, value: Training)? {
    trainings.first { stem.hasPrefix($0.key) }
  }

  private static func finite(
    _ value: JSONValue, _ fault: (String, CheckpointError.Code) -> CheckpointError, _ name: String
  ) throws -> Double {
    guard let number = value.number, Float(number).isFinite else {
      throw fault("\(name): found \(value.kind), expected a finite number", .malformed)
    }
    return number
  }
}
