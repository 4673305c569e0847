public import CanonicalJSON

/// A model folder in the diffusers layout: `model_index.json` and a folder for each component.
///
/// Only the layout is known here; what the configurations mean is the models' affair.
///
/// - Source: diffusers `DiffusionPipeline.save_pretrained` of a `StableDiffusionPipeline`.
public struct ModelFolder: Sendable {
  /// The components a folder must have, and the classes that are known; the scheduler may be of any class.
  static let requiredClasses: [(component: String, classes: [String])] = [
    ("tokenizer", ["CLIPTokenizer", "CLIPTokenizerFast"]),
    ("text_encoder", ["CLIPTextModel"]),
    ("unet", ["UNet2DConditionModel"]),
    ("vae", ["AutoencoderKL"]),
    ("scheduler", []),
  ]
  /// Components that pictures are made without.
  static let ignoredComponents = ["safety_checker", "feature_extractor", "image_encoder"]
  /// The longest configuration file that is read.
  static let configurationByteLimit = 1 << 20

  /// The folder.
  public let path: String
  private let classNames: [String: String]

  /// Reads and checks `model_index.json`.
  ///
  /// - Throws: ``CheckpointError`` naming the pipeline, component or class that is not supported, or the component
  ///   whose folder is missing.
  public init(path: String) throws {
    guard try PathKind(path) == .folder else {
      throw CheckpointError(
        .missingFile, file: path,
        "there is no such folder or file; expected a diffusers model folder, a .safetensors or a .ckpt"
      )
    }
    let indexPath = joinedPath(path, "model_index.json")
    let index = try Self.readConfiguration(indexPath)
    let pipeline = index["_class_name"]?.string
    guard pipeline == "StableDiffusionPipeline" else {
      throw CheckpointError(
        .unsupported, file: indexPath,
        "the pipeline class is \(Self.shown(pipeline)), expected StableDiffusionPipeline")
    }
    classNames = try Self.components(index, indexPath)
    for (component, _) in Self.requiredClasses {
      let folder = joinedPath(path, component)
      guard try PathKind(folder) == .folder else {
        throw CheckpointError(
          .missingFile, file: folder, "the folder of the component \(component) is missing")
      }
    }
    self.path = path
  }

  /// The class of a component as `model_index.json` names it; nil for one that is not part of the model.
  public func className(of component: String) -> String? { classNames[component] }

  /// The path of a component's folder.
  ///
  /// - Precondition: `component` is tokenizer, text_encoder, unet, vae or scheduler.
  public func folder(_ component: String) -> String {
    precondition(
      Self.requiredClasses.contains { $0.component == component },
      "a Stable Diffusion model has no component \"\(component)\"")
    return joinedPath(path, component)
  }

  /// The path of a file of a component, whether it exists or not.
  ///
  /// - Precondition: `file` is a plain file name.
  public func file(_ component: String, _ file: String) -> String {
    precondition(isPlainFileName(file), "\"\(file)\" is not a plain file name")
    return joinedPath(folder(component), file)
  }

  /// Reads a configuration file of a component: `config.json`, for the scheduler `scheduler_config.json`, for the
  /// tokenizer `tokenizer_config.json`, or the one named.
  ///
  /// - Throws: ``CheckpointError`` where it is missing, longer than a megabyte or not a JSON object.
  public func configuration(_ component: String, file: String? = nil) throws -> JSONValue {
    let standard =
      switch component {
      case "scheduler": "scheduler_config.json"
      case "tokenizer": "tokenizer_config.json"
      default: "config.json"
      }
    return try Self.readConfiguration(self.file(component, file ?? standard))
  }

  /// Opens the weights of a component: safetensors before `.bin` (which is read for tensors, nothing run), a whole
  /// file before shards, full precision before `fp16`.
  ///
  /// - Throws: ``CheckpointError`` where there are none in a form that is read, or they are damaged.
  public func weights(_ component: String) throws -> any WeightSource {
    let path = try weightPath(component)
    if path.hasSuffix(".json") { return try ShardedCheckpoint(indexPath: path) }
    return path.hasSuffix(".bin") ? try PickleFile(path: path) : try SafetensorsFile(path: path)
  }

  /// The files ``weights(_:)`` reads, in a fixed order: the one file, or the index and its shards by name.
  ///
  /// - Throws: ``CheckpointError`` where there are none, or the index is damaged.
  public func weightFiles(_ component: String) throws -> [String] {
    let path = try weightPath(component)
    guard path.hasSuffix(".json") else { return [path] }
    let shards = Set(try ShardedCheckpoint.weightMap(path).values)
    return [path] + shards.sorted().map { joinedPath(folder(component), $0) }
  }

  private func weightPath(_ component: String) throws -> String {
    let folder = folder(component)
    let isText = component == "text_encoder"
    let stem = isText ? "model" : "diffusion_pytorch_model"
    let pickleStem = isText ? "pytorch_model" : stem
    let candidates = [
      "\(stem).safetensors", "\(stem).safetensors.index.json",
      "\(stem).fp16.safetensors", "\(stem).fp16.safetensors.index.json",
      "\(stem).safetensors.index.fp16.json", "\(pickleStem).bin", "\(pickleStem).fp16.bin",
    ]
    for name in candidates {
      let path = joinedPath(folder, name)
      if try PathKind(path) != .nothing { return path }
    }
    let pickled = try folderNames(folder).first { name in
      [".bin", ".bin.index.json", ".ckpt", ".pt", ".pth"].contains { name.hasSuffix($0) }
    }
    if let pickled {
      throw CheckpointError(
        .unsupported, file: joinedPath(folder, pickled),
        "of pickled weights only a whole \(pickleStem).bin is read here; convert these to "
          + candidates[0])
    }
    throw CheckpointError(
      .missingFile, file: folder,
      "no weights found; expected one of \(candidates.joined(separator: ", "))")
  }

  private static func components(_ index: JSONValue, _ path: String) throws -> [String: String] {
    var classNames: [String: String] = [:]
    for member in index.members ?? [] {
      let name = member.name
      if name.hasPrefix("_") || name == "requires_safety_checker"
        || ignoredComponents.contains(name)
      {
        continue
      }
      let isAbsent = member.value.isNull || member.value == [nil, nil]
      guard let known = requiredClasses.first(where: { $0.component == name }) else {
        if isAbsent { continue }
        throw CheckpointError(
          .unsupported, file: path,
          "the component \"\(JSONError.excerpt(of: name))\" is unknown; expected "
            + requiredClasses.map(\.component).joined(separator: ", "))
      }
      guard !isAbsent else { continue }
      guard let pair = member.value.elements, pair.count == 2, pair[0].string != nil,
        let className = pair[1].string
      else {
        throw CheckpointError(
          .malformed, file: path, "the component \(name) is not a pair of library and class name")
      }
      guard known.classes.isEmpty || known.classes.contains(className) else {
        throw CheckpointError(
          .unsupported, file: path,
          "the component \(name) is of class \(shown(className)), expected "
            + known.classes.joined(separator: " or "))
      }
      classNames[name] = className
    }
    if let absent = requiredClasses.first(where: { classNames[$0.component] == nil }) {
      throw CheckpointError(
        .malformed, file: path, "the component \(absent.component) is missing or null")
    }
    return classNames
  }

  private static func readConfiguration(_ path: String) throws -> JSONValue {
    try RegularFile(path: path).jsonObject(limit: configurationByteLimit, infinities: true)
  }

  private static func shown(_ name: String?) -> String {
    name.map { "\"\(JSONError.excerpt(of: $0))\"" } ?? "not named"
  }
}
