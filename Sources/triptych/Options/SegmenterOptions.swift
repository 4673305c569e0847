public import ArgumentParser
import Generation
public import OpenVocabulary

extension SegmenterArchitecture: ExpressibleByArgument {}
extension LSegHead.Kind: ExpressibleByArgument {}

/// Which segmenter, and how its network runs.
struct SegmenterOptions: ParsableArguments {
  /// What LSeg's head block does between its applications; `relu` is of the zero-shot networks, which have no block.
  enum BlockActivation: String, CaseIterable, ExpressibleByArgument {
    case leakyReLU = "leaky-relu"
    case tanh

    var activation: LSegHead.Activation { self == .tanh ? .tanh : .leakyReLU }
  }

  /// How many labels are computed together.
  enum ClassChunk: Equatable, ExpressibleByArgument {
    case all
    case labels(Int)

    init?(argument: String) {
      if argument == "all" {
        self = .all
      } else if let count = Int(argument), count > 0 {
        self = .labels(count)
      } else {
        return nil
      }
    }

    /// The number; more than there ever are for all.
    var count: Int {
      switch self {
      case .all: LabelList.sizeLimit
      case .labels(let count): count
      }
    }
  }

  private static let depthLimit = 16

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A segmenter: a published checkpoint of LSeg (.ckpt) or SED (.pth), or its tensors as .safetensors.",
      valueName: "file"))
  var model: String

  @Option(
    name: .long,
    help: ArgumentHelp("What the file must be (default: what its keys say).", valueName: "name"))
  var architecture: SegmenterArchitecture?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "LSeg: what smooths logits, where the file has weights for it.", valueName: "kind"))
  var headBlock: LSegHead.Kind?

  @Option(
    name: .long,
    help: ArgumentHelp("LSeg: how often the head block is applied (default: 1).", valueName: "n"))
  var blockDepth: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "LSeg: the head block's activation (default: leaky-relu).", valueName: "name"))
  var blockActivation: BlockActivation?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "SED: before each stage keep only labels that are among the k likeliest somewhere (default: keep all; its "
        + "authors recommend 8).", valueName: "k"))
  var earlyRejection: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "SED: positions along a side that are averaged before labels look at each other: 1 as published for use, 2 as in "
        + "training.", valueName: "n"))
  var classPooling = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Labels that are computed together; changes memory, not the result (default: what suits).",
      valueName: "n|all"))
  var classChunk: ClassChunk?

  func validate() throws {
    if model.isEmpty { throw ValidationError("--model: is empty, expected a file") }
    if let blockDepth, !(1...Self.depthLimit ~= blockDepth) {
      throw ValidationError("--block-depth: found \(blockDepth), expected 1 to \(Self.depthLimit)")
    }
    if headBlock == nil || headBlock == LSegHead.Kind.none,
      blockDepth != nil || blockActivation != nil
    {
      throw ValidationError(
        "--block-depth and --block-activation go with --head-block bottleneck or depthwise")
    }
    if let earlyRejection, !(1...LabelList.sizeLimit ~= earlyRejection) {
      throw ValidationError(
        "--early-rejection: found \(earlyRejection), expected 1 to \(LabelList.sizeLimit)")
    }
    guard 1...2 ~= classPooling else {
      throw ValidationError("--class-pooling: found \(classPooling), expected 1 or 2")
    }
  }

  /// Opens the file.
  ///
  /// - Throws: `CheckpointError` where it is broken or no segmenter, `SegmenterError` where flags are another one's.
  func open() throws -> SegmenterModel {
    let opened = try SegmenterModel(path: model, architecture: architecture)
    if let headBlock { try opened.check(headBlock, option: "--head-block") }
    return opened
  }

  /// Reads the image network.
  ///
  /// - Throws: `CheckpointError`.
  func network(of opened: SegmenterModel) throws -> WordSegmenter {
    if opened.hasHeadBlock, headBlock == nil {
      Console.note(
        "triptych: the file holds a head block, which is not used; its file does not say of which kind: name it with "
          + "--head-block, --block-depth and --block-activation")
    }
    let kind = headBlock ?? LSegHead.Kind.none
    return try opened.network(
      head: LSegHead(
        kind, depth: blockDepth ?? 1,
        activation: (blockActivation ?? .leakyReLU).activation))
  }

  /// How pictures are shown.
  func settings(multiScale: Bool = false, inputSide: Int? = nil) -> SegmenterSettings {
    var settings = SegmenterSettings()
    (settings.multiScale, settings.inputSide) = (multiScale, inputSide)
    (settings.rejection, settings.pooling) = (earlyRejection, classPooling)
    settings.classChunk = classChunk?.count
    return settings
  }
}
