import TensorCore

/// A network on a made-up picture and made-up labels, to be timed.
public struct SegmenterBenchmark: Sendable {
  private let network: WordSegmenter
  private let image: Tensor
  private let classes: Tensor
  private let settings: SegmenterSettings

  /// The side of a picture as it is usually shown to a network.
  public static func usualSide(_ architecture: SegmenterArchitecture) -> Int {
    architecture == .lseg ? CropProtocol.cropSide : SEDPreprocessing.inputSide
  }

  /// Makes a picture and labels.
  ///
  /// - Parameters:
  ///   - network: the network.
  ///   - templates: sentences a label has.
  ///   - side: of the picture, in pixels.
  ///   - labels: how many labels.
  ///   - settings: of which SED's count.
  public init(
    _ network: WordSegmenter, templates: Int, side: Int, labels: Int, settings: SegmenterSettings
  ) {
    let streams = RandomStreams(seed: 1)
    (self.network, self.settings) = (network, settings)
    image = streams.normals(stream: 0, shape: [1, side, side, 3])
    classes = unitVectors(
      streams.normals(stream: 1, shape: [labels, templates, network.featureWidth]))
  }

  /// From the picture to logits: at its size for LSeg, at a quarter of it for SED.
  ///
  /// - Returns: how many labels were looked at in each stage.
  /// - Throws: ``SegmenterError`` where the side is none of the network's.
  public func once() throws -> [Int] {
    try SegmenterTensors(network, image: image, classes: classes, settings: settings)
      .evaluatedClasses
  }
}
