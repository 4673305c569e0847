public import CanonicalJSON

/// How noise was added in training and is taken off in sampling, as `scheduler/scheduler_config.json` gives it.
///
/// - Source: diffusers `DDIMScheduler`; the keys that other schedulers share mean the same.
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

  /// The schedulers that can be asked for.
  public enum Kind: String, Sendable, CaseIterable {
    /// Denoising diffusion implicit models.
    case ddim

    /// The class in diffusers.
    var className: String {
      switch self {
      case .ddim: "DDIMScheduler"
      }
    }
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

  /// Dynamic thresholding, after Saharia and others, "Photorealistic text-to-image diffusion models" (2022).
  public struct Thresholding: Sendable, Equatable {
    /// The quantile, in 0...1.
    public var ratio: Float
    /// The largest threshold.
    public var maximum: Float
  }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - json: the parsed file.
  ///   - file: its name, for messages.
  /// - Throws: ``DiffusionError`` naming the key, the value found and those supported.
  public init(_ json: JSONValue, file: String) throws {
    let reader = try ConfigurationReader(json, file: file)
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
    betaSchedule = try Self.choice(reader, "beta_schedule", default: .linear)
    prediction = try Self.choice(reader, "prediction_type", default: .noise)
    spacing = try Self.choice(reader, "timestep_spacing", default: .leading)
    stepsOffset = try reader.integer("steps_offset", default: 0, in: 0...Self.stepLimit)
    let isDDIM = className == Kind.ddim.className
    endsAtOne = try reader.flag("set_alpha_to_one", default: isDDIM)
    // A class other than DDIM that says nothing of clipping does not clip.
    let clips = try reader.flag("clip_sample", default: isDDIM)
    let range = Float(try reader.number("clip_sample_range", default: 1, in: 1e-6...1e6))
    clipRange = clips ? range : nil
    let thresholds = try reader.flag("thresholding", default: false)
    let ratio = Float(try reader.number("dynamic_thresholding_ratio", default: 0.995, in: 0...1))
    let maximum = Float(try reader.number("sample_max_value", default: 1, in: 1e-6...1e6))
    thresholding = thresholds ? Thresholding(ratio: ratio, maximum: maximum) : nil
    rescalesToZeroSNR = try reader.flag("rescale_betas_zero_snr", default: false)
    self.file = file
  }

  /// The file, for messages.
  let file: String

  /// The scheduler the file names, or the one asked for with the file's noise and spacing.
  ///
  /// - Throws: ``DiffusionError`` where the file names a class that is not supported.
  public func scheduler(_ kind: Kind? = nil) throws -> any Scheduler {
    let known = Kind.allCases.first { $0.className == className }
    guard let kind = kind ?? known else {
      throw DiffusionError(
        .unsupported, file, key: "_class_name",
        "\(className.prefix(60)) is not supported yet; use --scheduler ddim")
    }
    switch kind {
    case .ddim: return try DDIMScheduler(self)
    }
  }

  /// More training steps than any model has.
  private static let stepLimit = 1 << 16

  private static func choice<T: RawRepresentable & CaseIterable>(
    _ reader: ConfigurationReader, _ key: String, default standard: T
  ) throws -> T where T.RawValue == String {
    let name = try reader.string(key, default: standard.rawValue)
    guard let choice = T(rawValue: name) else {
      let supported = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw DiffusionError(
        .unsupported, reader.file, key: key,
        "found \"\(name.prefix(60))\", supported: \(supported)")
    }
    return choice
  }

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
