import Checkpoints
public import LatentDiffusion

extension GroundingConfiguration {
  /// Makes sure that the module was made for a U-Net.
  ///
  /// - Parameters:
  ///   - unet: the U-Net's shape.
  ///   - prediction: what it predicts; not compared where nil.
  ///   - file: the module's file, for messages.
  /// - Throws: `CheckpointError` naming the channels that differ.
  public func checkFits(
    _ unet: UNetConfiguration, prediction: SchedulerConfiguration.Prediction? = nil, file: String
  ) throws {
    func refuse(_ what: String) -> CheckpointError {
      CheckpointError(
        .wrongShape, file: file, "this grounding module was made for another U-Net: \(what)")
    }
    let blocks = unet.blocks
    let found = Self.channels(of: blocks)
    guard found.count == levels.count else {
      throw refuse("one of \(levels.count) levels, this one has \(found.count)")
    }
    for (level, expected) in levels.enumerated() where expected.channels != found[level] {
      guard expected.channels.count == found[level].count else {
        throw refuse(
          "at level \(level) it reads \(expected.channels.count) blocks of \(Self.list(expected.channels)) channels, "
            + "this one has \(found[level].count) of \(Self.list(found[level]))")
      }
      let names = blocks.filter { $0.level == level }.map(\.place.description)
      let different = zip(names, zip(expected.channels, found[level])).filter { $1.0 != $1.1 }
      throw refuse(
        "at level \(level) it reads "
          + different.map { "\($1.0) channels of \($0), where this one has \($1.1)" }
          .joined(separator: ", "))
    }
    guard textWidth == unet.textWidth else {
      throw refuse("it reads texts of width \(textWidth), this one has \(unet.textWidth)")
    }
    if let own = self.prediction, let prediction, own != prediction {
      throw refuse("it predicts \(own.rawValue), this one \(prediction.rawValue)")
    }
  }

  private static func list(_ numbers: [Int]) -> String {
    numbers.map { "\($0)" }.joined(separator: ", ")
  }
}
