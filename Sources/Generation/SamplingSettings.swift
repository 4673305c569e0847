public import LatentDiffusion

/// How each picture of a run is sampled; everything here changes bytes.
public struct SamplingSettings: Sendable, Equatable {
  /// Steps that can be asked for.
  public static let stepRange = 1...1000
  /// Guidance that can be asked for.
  public static let guidanceRange = 0.0...1000.0
  /// The longest side of a picture, in pixels.
  public static let sideLimit = 4096

  /// Denoising steps.
  public var steps: Int
  /// Strength of classifier-free guidance; none at 1 or below.
  public var guidance: Double
  /// How much of the contrast that guidance adds is taken back, 0...1.
  public var guidanceRescale = 0.0
  /// The scheduler; nil for the one the model names.
  public var scheduler: SchedulerConfiguration.Kind?
  /// The share of fresh noise at each step, 0...1.
  public var eta = 0.0
  /// What guidance pushes away from.
  public var negativePrompt = ""
  /// Width in pixels.
  public var width: Int
  /// Height in pixels.
  public var height: Int

  /// Names what has no usual value.
  public init(steps: Int, guidance: Double, width: Int, height: Int) {
    self.steps = steps
    self.guidance = guidance
    self.width = width
    self.height = height
  }

  /// Refuses what no model can do.
  ///
  /// - Parameter pixelsPerCell: pixels of a side that become one latent cell.
  /// - Throws: ``GenerationError`` naming option, value and range.
  public func check(pixelsPerCell: Int) throws {
    func refuse(_ option: String, _ found: String, _ expected: String) -> GenerationError {
      GenerationError(.usage, option, "found \(found), expected \(expected)")
    }
    guard Self.stepRange ~= steps else {
      throw refuse("--steps", "\(steps)", "1 to \(Self.stepRange.upperBound)")
    }
    guard Self.guidanceRange ~= guidance else {
      throw refuse("--guidance", "\(guidance)", "0 to 1000")
    }
    guard 0...1 ~= guidanceRescale else {
      throw refuse("--guidance-rescale", "\(guidanceRescale)", "0 to 1")
    }
    guard 0...1 ~= eta else { throw refuse("--eta", "\(eta)", "0 to 1") }
    let unit = max(8, pixelsPerCell)
    for (option, side) in [("--width", width), ("--height", height)] {
      guard side >= unit, side <= Self.sideLimit, side % unit == 0 else {
        throw refuse(
          option, "\(side)", "a multiple of \(unit) from \(unit) to \(Self.sideLimit)")
      }
    }
  }
}
