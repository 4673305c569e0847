public import Checkpoints
import NeuralLayers
public import TensorCore
public import TextConditioning

/// CLIP's text tower as segmenters use it: a sentence's feature in the space that pictures share.
///
/// - Shapes: n sentences of token ids → [n, D], not normalised.
/// - Weights: those of ``CLIPTextTowerShapes``.
/// - Source: openai/CLIP `model.py` (`encode_text`); OpenCLIP `model.py`.
public struct CLIPTextTower: Sendable {
  /// Tokens that are computed together: beyond some thousand, products grow no faster and memory does.
  private static let tokensTogether = 4096

  /// The sizes.
  public let shapes: CLIPTextTowerShapes
  private let encoder: CLIPTextEncoder
  private let projection: PackedWeights

  /// Reads the tower.
  ///
  /// - Parameters:
  ///   - source: the whole file.
  ///   - prefix: what the tower's keys begin with, with the dot.
  ///   - activation: `.quickGELU` for OpenAI's towers (LSeg), `.gelu` for those of OpenCLIP (SED).
  /// - Throws: `CheckpointError` with the file's key if a tensor is absent, misshapen or not finite.
  public init(
    _ source: any WeightSource, prefix: String, activation: CLIPTextConfiguration.Activation
  ) throws {
    shapes = try CLIPTextTowerShapes(source, prefix: prefix)
    try shapes.check(source)
    encoder = try CLIPTextEncoder(
      WeightScope(shapes.renamed(source)),
      configuration: CLIPTextConfiguration(
        width: shapes.width, innerWidth: shapes.innerWidth, layerCount: shapes.layerCount,
        headCount: shapes.headCount, vocabularySize: shapes.vocabularySize,
        positionCount: shapes.positionCount, activation: activation))
    let key = prefix + "text_projection"
    let matrix = try source.tensor(key).reshaped([1, 1, shapes.width, shapes.featureWidth])
    projection = PackedWeights(
      linear: matrix.channelsFirst().reshaped([shapes.featureWidth, shapes.width]),
      storedAs: source.record(key)?.type ?? .float32)
  }

  /// Refuses a tokenizer whose ids or sequences the tower has no rows for.
  ///
  /// - Throws: `CheckpointError` with what the tokenizer makes and what the tower takes.
  public func checkFits(_ tokenizer: CLIPTokenizer) throws { try encoder.checkFits(tokenizer) }

  /// The feature of each sentence: the end token's hidden state behind the final norm, times the projection.
  ///
  /// The end token is the first one with the largest id. What stands behind it is not computed where no other sentence
  /// reaches so far: no token sees later ones.
  ///
  /// - Parameter ids: at least one sentence, all of one length, as a tokenizer pads them.
  /// - Returns: [n, D]; a sentence's feature does not depend on the others.
  /// - Precondition: the length is in 1...P, the ids are in 0..<V.
  public func callAsFunction(_ ids: [[Int]]) -> Tensor {
    let ends = ids.map { sentence in
      sentence.indices.reduce(0) { sentence[$1] > sentence[$0] ? $1 : $0 }
    }
    // Sentences of like length together, so that little is computed behind an end.
    let order = ids.indices.sorted { (ends[$0], $0) < (ends[$1], $1) }
    var features: [Tensor] = []
    var places = [Int](repeating: 0, count: ids.count)
    var first = 0
    while first < order.count {
      var last = first + 1
      while last < order.count, (last + 1 - first) * (ends[order[last]] + 1) <= Self.tokensTogether
      {
        last += 1
      }
      let members = order[first..<last]
      for (place, member) in zip(first..., members) { places[member] = place }
      features.append(encoded(members.map { ids[$0] }, ends: members.map { ends[$0] }))
      first = last
    }
    return gatheredRows(joinedRows(features), places)
  }

  private func encoded(_ ids: [[Int]], ends: [Int]) -> Tensor {
    let length = (ends.max() ?? 0) + 1
    let states = encoder.hiddenState(
      ids.map { Array($0.prefix(length)) }, after: shapes.layerCount)  // [n, length, W]
    let last = gatheredRows(
      states.reshaped([ids.count * length, shapes.width]),
      ends.enumerated().map { $0 * length + $1 })
    return linear(encoder.normalized(last), projection)
  }
}
