import Checkpoints

/// A file of a segmenter, whichever of the published ones it is.
public struct SegmenterModel: Sendable {
  private enum File: Sendable {
    case lseg(LSegFile)
    case sed(SEDFile)
  }

  private let file: File

  /// Which segmenter it is.
  public var architecture: SegmenterArchitecture {
    switch file {
    case .lseg: .lseg
    case .sed: .sed
    }
  }

  /// Opens a file of `torch.save` or safetensors; what it is, its keys say.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - architecture: what it must be; nil for any.
  /// - Throws: `CheckpointError` where it is broken, no segmenter or another one.
  public init(path: String, architecture: SegmenterArchitecture? = nil) throws {
    let source = try WeightFile.open(path)
    switch architecture ?? SegmenterFile.architecture(of: source) {
    case .lseg: file = .lseg(try LSegFile(source))
    case .sed: file = .sed(try SEDFile(source))
    case nil:
      throw CheckpointError(
        .unsupported, file: path,
        "is neither a checkpoint of LSeg nor of SED by its keys; expected one of them")
    }
  }

  /// The sentences that the network takes for a label; nil for any number.
  public var templateCount: Int? {
    guard case .sed(let file) = file else { return nil }
    return file.configuration.templates
  }

  /// Whether the file has the weights of a block that smooths LSeg's logits.
  public var hasHeadBlock: Bool {
    guard case .lseg(let file) = file else { return false }
    return file.configuration.hasHeadBlock
  }

  /// Refuses a head block that the network does not have.
  ///
  /// - Throws: ``SegmenterError`` naming the option.
  public func check(_ head: LSegHead.Kind, option: String) throws {
    guard architecture == .lseg || head == .none else {
      throw SegmenterError(
        .usage, option,
        "is \(SegmenterArchitecture.lseg.title)'s, and the model is \(architecture.title); leave it out"
      )
    }
  }

  /// Reads the image network.
  ///
  /// - Parameter head: how LSeg's logits are smoothed.
  /// - Returns: the network.
  /// - Throws: `CheckpointError` naming the keys that are missing, misshapen or have no place; where a head is asked for that
  ///   the file has no weights for.
  public func network(head: LSegHead = .none) throws -> WordSegmenter {
    switch file {
    case .lseg(let file): .lseg(try file.network(head: head))
    case .sed(let file): .sed(try file.network())
    }
  }

  /// Reads the text tower.
  ///
  /// - Throws: `CheckpointError` naming the keys that are missing or misshapen.
  public func textTower() throws -> CLIPTextTower {
    switch file {
    case .lseg(let file): try file.textTower()
    case .sed(let file): try file.textTower()
    }
  }
}
