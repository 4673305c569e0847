import Checkpoints
public import TensorCore

/// What a network says of images, as tensors.
public struct SegmenterTensors: Sendable {
  /// The logits [n, h, w, classes]: at the images' size for LSeg, at a quarter of it for SED.
  public let logits: Tensor
  /// SED's probabilities after early rejection [n, h, w, classes].
  public let probabilities: Tensor?
  /// Which classes entered each stage after early rejection.
  public let survivors: [[Bool]]?
  /// How many classes were looked at in each stage.
  public let evaluatedClasses: [Int]

  /// Runs a network on images.
  ///
  /// - Parameters:
  ///   - network: the network.
  ///   - image: [n, h, w, 3], normalised.
  ///   - classes: features [classes, templates, D].
  ///   - settings: of which SED's count.
  /// - Throws: ``SegmenterError`` where they do not fit the network.
  public init(
    _ network: WordSegmenter, image: Tensor, classes: Tensor, settings: SegmenterSettings
  ) throws {
    switch network {
    case .lseg(let lseg):
      logits = lseg.logits(image, text: PictureSegmenter.meanOverTemplates(classes))
      (probabilities, survivors, evaluatedClasses) = (nil, nil, [classes.shape[0]])
    case .sed(let sed):
      let prediction = try sed(image, classes: classes, SEDOptions(settings))
      let isRejecting = settings.rejection != nil
      logits =
        isRejecting
        ? prediction.logits.mapped { $0 == -.infinity ? SegmenterTensorFile.rejected : $0 }
        : prediction.logits
      probabilities = isRejecting ? prediction.probabilities() : nil
      survivors = isRejecting ? prediction.survivors : nil
      evaluatedClasses = prediction.evaluatedClasses
    }
  }

  /// Writes the tensors: `logits`, `probabilities` [n, classes, h, w] and `survivors` [3, classes].
  ///
  /// - Throws: `CheckpointError` where the file cannot be written, or a number is not finite.
  public func write(to path: String) throws {
    var writer = SafetensorsWriter()
    writer.add("logits", logits.channelsFirst())
    if let probabilities { writer.add("probabilities", probabilities.channelsFirst()) }
    if let survivors {
      writer.add(
        "survivors", bytes: survivors.flatMap { $0.map { $0 ? 1 : 0 } },
        shape: [survivors.count, survivors.first?.count ?? 0])
    }
    try writer.write(to: path)
  }
}
