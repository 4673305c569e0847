/// What people say about a single file that the file cannot say itself.
public struct SingleFileOptions: Sendable, Equatable {
  /// What a denoiser predicts.
  public enum Prediction: String, Sendable, CaseIterable {
    /// The noise: Stable Diffusion 1 and 2 base.
    case noise = "epsilon"
    /// The velocity: Stable Diffusion 2 at 768 pixels.
    case velocity = "v-prediction"

    /// The value of `prediction_type` in diffusers' configurations.
    var configured: String {
      switch self {
      case .noise: "epsilon"
      case .velocity: "v_prediction"
      }
    }
  }

  /// The folder with vocab.json and merges.txt.
  public var tokenizer: String?
  /// What the denoiser predicts.
  public var prediction: Prediction?
  /// Whether the averaged weights (EMA) are taken.
  public var usesAverage = false
  /// A diffusers folder whose configurations, scheduler and tokenizer the file goes with.
  public var configuration: String?

  /// Nothing said.
  public init() {}

  /// Refuses what is given for a folder, whose own files say it.
  ///
  /// - Throws: ``GenerationError`` naming the option.
  public func checkAbsent(at folder: String) throws {
    let given = [
      ("--tokenizer", tokenizer != nil), ("--prediction", prediction != nil),
      ("--model-config", configuration != nil), ("--ema", usesAverage),
    ].first(where: \.1)
    guard let given else { return }
    throw GenerationError(
      .usage, given.0,
      "goes with a single file as --model; \(folder) is a folder, whose own files say it")
  }
}
