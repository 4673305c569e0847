public import Imaging

/// Which label each pixel of a picture has.
public struct SegmentedPicture: Sendable {
  /// What is known of a label.
  public struct Finding: Sendable, Equatable {
    /// The label.
    public let label: SegmenterLabel
    /// Its share of the picture's pixels.
    public let share: Double
    /// The mean probability of the pixels that have it, 0 where none has. LSeg's labels share a probability of 1 at each
    /// pixel (softmax); each of SED's has its own (sigmoid).
    public let meanProbability: Double
  }

  /// The labels' ids at the picture's size.
  public let mask: LabelMask
  /// A finding for each label, in the order they were given.
  public let findings: [Finding]
  /// How many labels were looked at in each stage: three of SED's, one of LSeg.
  public let evaluatedClasses: [Int]

  /// Counts what was decided.
  ///
  /// - Parameters:
  ///   - decision: label numbers in the order in which labels are computed.
  ///   - list: the labels.
  ///   - evaluatedClasses: how many were looked at in each stage.
  init(_ decision: LabelDecision, _ list: LabelList, evaluatedClasses: [Int]) throws {
    let (numbers, probabilities) = try decision.finished()
    var pixels = [Int](repeating: 0, count: list.labels.count)
    var sums = [Double](repeating: 0, count: list.labels.count)
    let places = list.computed
    for (number, probability) in zip(numbers, probabilities) {
      pixels[places[Int(number)]] += 1
      sums[places[Int(number)]] += Double(probability)
    }
    let ids = places.map { UInt16(list.labels[$0].id) }
    mask = try LabelMask(
      width: decision.width, height: decision.height, ids: numbers.map { ids[Int($0)] })
    findings = list.labels.enumerated().map { place, label in
      Finding(
        label: label, share: Double(pixels[place]) / Double(numbers.count),
        meanProbability: pixels[place] == 0 ? 0 : sums[place] / Double(pixels[place]))
    }
    self.evaluatedClasses = evaluatedClasses
  }
}
