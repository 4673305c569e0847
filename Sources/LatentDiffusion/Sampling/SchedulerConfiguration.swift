public import CanonicalJSON

/// How noise was added in training and is taken off in sampling, as `scheduler/scheduler_config.json` gives it.
///
/// Only what several schedulers share is read at once. What one of them alone knows is read, and refused where it is
/// not supported, when that one is made; a file may hold keys of others, as diffusers leaves them behind.
///
/// - Source: diffusers `DDIMScheduler`, `DDIMInverseScheduler`, `PNDMScheduler`, `DPMSolverMultistepScheduler`,
///   `EulerDiscreteScheduler`, `EulerAncestralDiscreteScheduler`.
public struct SchedulerConfiguration: Sendable, Equatable {
  /// How the noise grows from one training step to the next.
  public enum BetaSchedule: String, Sendable, CaseIterable {
    /// Evenly.
    case linear
    /// Evenly in the square root.
    case scaledLinear = "scaled_linear"
    /// By a squared cosine of the signal that is left.
    case squaredCosine = "squaredcos_cap_v2"
  }

  /// What the model predicts.
  public enum Prediction: String, Sendable, CaseIterable {
    /// The noise.
    case noise = "epsilon"
    /// The velocity, √ᾱ · noise − √(1 − ᾱ) · sample.
    case velocity = "v_prediction"
    /// The clean sample.
    case sample
  }

  /// How the steps of a run are spread over the training steps.
  public enum Spacing: String, Sendable, CaseIterable {
    /// Whole strides from 0 up, plus the offset.
    case leading
    /// Strides from the last training step down.
    case trailing
    /// Evenly, both ends included.
    case linspace
  }

  /// The class the file names.
  public var className: String
  /// Number of training steps.
  public var trainingSteps: Int
  /// Noise of the first training step.
  public var betaStart: Double
  /// Noise of the last training step.
  public var betaEnd: Double
  /// The way between them.
  public var betaSchedule: BetaSchedule
  /// The noise of every training step, where the file lists it.
  public var trainedBetas: [Double]?
  /// What the model predicts.
  public var prediction: Prediction
  /// How the steps of a run are spread.
  public var spacing: Spacing
  /// Added to every timestep of the leading spacing.
  public var stepsOffset: Int
  /// Whether the last step ends without any noise, rather than with that of training step 0.
  public var endsAtOne: Bool
  /// The largest magnitude of a predicted clean sample; nil where it is not clipped.
  public var clipRange: Float?
  /// Clips each clean sample at a quantile of its own magnitudes; nil where that is off.
  public var thresholding: Thresholding?
  /// Whether the last training step is made pure noise.
  public var rescalesToZeroSNR: Bool

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - json: the parsed file.
  ///   - file: its name, for messages.
  /// - Throws: ``DiffusionError`` naming the key, the value found and those supported.
  public init(_ json: JSONValue, file: String) throws {
    let reader = try ConfigurationReader(json, file: file)
    // The way to say "sample" before prediction_type was there.
    try reader.require("predict_epsilon", true)
    className = try reader.string("_class_name")
    trainedBetas = try Self.trainedBetas(reader)
    trainingSteps = try reader.integer("num_train_timesteps", default: 1000, in: 1...Self.stepLimit)
    if let trainedBetas, trainedBetas.count != trainingSteps {
      throw DiffusionError(
        .malformed, file, key: "trained_betas",
        "found \(trainedBetas.count) values, expected num_train_timesteps, \(trainingSteps)")
    }
    betaStart = try reader.number("beta_start", default: 0.0001, in: 0...1)
    betaEnd = try reader.number("beta_end", default: 0.02, in: 0...1)
    betaSchedule = try reader.choice("beta_schedule", default: .linear)
    prediction = try reader.choice("prediction_type", default: .noise)
    spacing = try reader.choice("timestep_spacing", default: Self.usualSpacing(className))
    stepsOffset = try reader.integer("steps_offset", default: 0, in: 0...Self.stepLimit)
    let isDDIM = [Kind.ddim, .ddimInverse].map(\.className).contains(className)
    endsAtOne = try reader.flag("set_alpha_to_one", default: isDDIM)
    // A class other than DDIM, either way, that says nothing of clipping does not clip.
    let clips = try reader.flag("clip_sample", default: isDDIM)
    let range = Float(try reader.number("clip_sample_range", default: 1, in: 1e-6...1e6))
    clipRange = clips ? range : nil
    let thresholds = try reader.flag("thresholding", default: false)
    let ratio = Float(try reader.number("dynamic_thresholding_ratio", default: 0.995, in: 0...1))
    let maximum = Float(try reader.number("sample_max_value", default: 1, in: 1e-6...1e6))
    thresholding = thresholds ? Thresholding(ratio: ratio, maximum: maximum) : nil
    rescalesToZeroSNR = try reader.flag("rescale_betas_zero_snr", default: false)
    self.reader = reader
  }

  /// The file's keys; each scheduler reads those of its own.
  let reader: ConfigurationReader

  /// The file, for messages.
  var file: String { reader.file }

  /// More training steps than any model has.
  private static let stepLimit = 1 << 16

  private static func trainedBetas(_ reader: ConfigurationReader) throws -> [Double]? {
    guard let value = reader.value("trained_betas") else { return nil }
    guard let elements = value.elements, (1...stepLimit).contains(elements.count) else {
      throw reader.fault("trained_betas", value, "a list of 1...\(stepLimit) numbers")
    }
    return try elements.map { element in
      guard let beta = element.number, (0...1).contains(beta) else {
        throw reader.fault("trained_betas", element, "a number in 0...1")
      }
      return beta
    }
  }
}
