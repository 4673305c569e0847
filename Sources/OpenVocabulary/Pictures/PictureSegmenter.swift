public import Imaging
public import TensorCore

/// Gives every pixel of a picture one of some labels.
///
/// Labels are computed in an order of their own, so that the bytes of a result do not depend on how they are given.
public struct PictureSegmenter: Sendable {
  /// Scores that LSeg's labels may take together before they are compared in groups: 1 GiB.
  private static let scoreLimit = 1 << 28

  private let network: WordSegmenter
  private let list: LabelList
  private let features: Tensor
  private let settings: SegmenterSettings

  /// A segmenter of pictures.
  ///
  /// - Parameters:
  ///   - network: the image network.
  ///   - list: what pixels may be.
  ///   - features: of the labels [labels, templates, D], as ``LabelEncoder`` makes them.
  ///   - settings: how pictures are shown.
  /// - Throws: ``SegmenterError`` where the settings or the number of templates are not the network's.
  public init(
    _ network: WordSegmenter, labels list: LabelList, features: Tensor,
    settings: SegmenterSettings = SegmenterSettings()
  ) throws {
    try settings.check(network.architecture)
    let (count, templates, _) = features.dimensions3("features of labels")
    precondition(count == list.labels.count, "\(count) features of \(list.labels.count) labels")
    (self.network, self.list, self.settings) = (network, list, settings)
    let ordered = gatheredRows(
      features.reshaped([count, templates * features.lastDimension]), list.computed)
    switch network {
    case .lseg: self.features = Self.meanOverTemplates(ordered.reshaped(features.shape))
    case .sed(let sed):
      guard templates == sed.configuration.templates else {
        throw SegmenterError(
          .usage, "--templates",
          "has \(templates) sentences, but the model's cost maps are made for \(sed.configuration.templates)"
        )
      }
      self.features = ordered.reshaped(features.shape)
    }
  }

  /// Segments a picture.
  ///
  /// - Parameter picture: of any size.
  /// - Returns: the labels at its size.
  /// - Throws: ``SegmenterError`` where scores are not numbers.
  public func callAsFunction(_ picture: PixelImage) throws -> SegmentedPicture {
    switch network {
    case .lseg(let lseg): try segmented(picture, lseg)
    case .sed(let sed): try segmented(picture, sed)
    }
  }

  private func segmented(_ picture: PixelImage, _ sed: SED) throws -> SegmentedPicture {
    let shown = try SEDPreprocessing.input(
      picture, side: settings.inputSide ?? SEDPreprocessing.inputSide)
    let prediction = try sed(shown, classes: features, SEDOptions(settings))
    // The published code first crops the map to the size, in pixels, that the picture had behind the first resize. That cuts
    // something off only where it had fewer pixels than the map, in pictures of extreme proportions, and is left out.
    var decision = LabelDecision(
      width: picture.width, height: picture.height, kind: .probabilities)
    try decision.compare(
      [ScoreMap(scores: prediction.probabilities(), alignsCorners: false)], firstLabel: 0)
    return try SegmentedPicture(
      decision, list, evaluatedClasses: prediction.evaluatedClasses)
  }

  private func segmented(_ picture: PixelImage, _ lseg: LSeg) throws -> SegmentedPicture {
    let way = CropProtocol(multiScale: settings.multiScale, inputSide: settings.inputSide)
    let views = way.views(of: picture, for: lseg.configuration.backbone)
    var decision = LabelDecision(width: picture.width, height: picture.height, kind: .logits)
    let groups = groups(views, lseg, mirrored: way.isMirrored)
    // In several groups each pass' features are needed again.
    var kept: [[Int]: Tensor] = [:]
    for group in groups {
      let labels = LSegLabels(features.rows(group))
      let maps = views.enumerated().map { number, view in
        let scores = view.merged(labelCount: group.count, mirrored: way.isMirrored) {
          crop, mirrored in
          let place = [number, crop, mirrored ? 1 : 0]
          let seen = kept[place] ?? lseg.pixelFeatures(view.crop(crop, mirrored: mirrored))
          if groups.count > 1 { kept[place] = seen }
          return lseg.logits(seen, labels)
        }
        return ScoreMap(scores: scores, alignsCorners: true)
      }
      try decision.compare(maps, firstLabel: group.lowerBound)
    }
    return try SegmentedPicture(decision, list, evaluatedClasses: [list.labels.count])
  }

  /// Labels that go together: all of them where their scores take no more memory than the features that groups would
  /// have to keep, or where labels look at each other.
  private func groups(
    _ views: [CropProtocol.View], _ lseg: LSeg, mirrored: Bool
  ) -> [Range<Int>] {
    let count = list.labels.count
    guard lseg.head.kind != .bottleneck else { return [0..<count] }
    let crops = views.reduce(0) { $0 + $1.crops.count * $1.side * $1.side / 4 }
    let kept = crops * (mirrored ? 2 : 1) * lseg.configuration.featureWidth
    let pixels = views.reduce(0) { $0 + $1.height * $1.width + $1.side * $1.side }
    let room = max(Self.scoreLimit, kept) / pixels
    let together = min(count, max(1, settings.classChunk ?? room))
    return stride(from: 0, to: count, by: together).map { $0..<min(count, $0 + together) }
  }

  /// One feature a label [labels, D].
  static func meanOverTemplates(_ features: Tensor) -> Tensor {
    let (count, templates, width) = features.dimensions3("features of labels")
    return features.withUnsafeBuffer { source in
      Tensor(shape: [count, width]) { out in
        for index in 0..<out.count {
          let (label, column) = (index / width, index % width)
          var sum: Float = 0
          for template in 0..<templates {
            sum += source[(label * templates + template) * width + column]
          }
          out[index] = sum / Float(templates)
        }
      }
    }
  }
}
