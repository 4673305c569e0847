public import CanonicalJSON
public import DatasetFormat
import Imaging
public import LatentDiffusion
public import TensorCore

/// A run: its plan, its model and its settings, and the folder it fills.
public struct GenerationRun: Sendable {
  /// The samples.
  public var plan: GenerationPlan
  /// How each is sampled.
  public var settings: SamplingSettings
  /// The scheduler the settings and the model agree on.
  public var scheduler: SchedulerConfiguration.Kind
  /// The model's files.
  public var fingerprint: ModelFingerprint
  /// The LoRA files and embeddings it was loaded with.
  public var adapters: ModelAdapters
  /// What the model's card says; nil where it says nothing.
  public var licence: String?
  /// The SHA-256 of the file of initial latents, where one is given.
  public var latentsDigest: String?
  /// How masks are read; nil for pictures alone.
  public var masks: MaskSettings?
  /// Samples of a shard.
  public var shardSize: Int
  /// Which samples are accepted, and how often a rejected one is made again.
  public var rules: FilterRules
  /// How numbers are multiplied: precision and kernel level.
  public var numerics: (precision: String, level: KernelLevel)

  /// Describes a run.
  public init(
    plan: GenerationPlan, settings: SamplingSettings, scheduler: SchedulerConfiguration.Kind,
    fingerprint: ModelFingerprint, adapters: ModelAdapters = ModelAdapters(), licence: String?,
    latentsDigest: String?, masks: MaskSettings?, shardSize: Int, rules: FilterRules,
    numerics: (precision: String, level: KernelLevel)
  ) {
    self.plan = plan
    self.settings = settings
    self.scheduler = scheduler
    self.fingerprint = fingerprint
    self.adapters = adapters
    self.licence = licence
    self.latentsDigest = latentsDigest
    self.masks = masks
    self.shardSize = shardSize
    self.rules = rules
    self.numerics = numerics
  }

  /// Samples and shards.
  public var layout: RunLayout { RunLayout(sampleCount: plan.count, shardSize: shardSize) }

  /// The arithmetic in one word, for DONE.
  public var numericsFingerprint: String { "\(numerics.precision)/\(numerics.level.rawValue)" }

  /// All that decides the bytes of the run, for run.json: no time, no host, no path.
  public var configuration: JSONValue {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return [
      "program": "triptych", "version": .string(ProgramVersion.text),
      "seed": .string(String(plan.seed)), "count": .integer(Int64(plan.count)),
      "shard_size": .integer(Int64(layout.shardSize)), "source": plan.source.json,
      "model": .object(
        adapters.named(
          in: [.init("files", fingerprint.json), .init("licence", text(licence))]
            + fingerprint.settings)),
      "sampling": [
        "steps": .integer(Int64(settings.steps)), "guidance": .number(settings.guidance),
        "guidance_rescale": .number(settings.guidanceRescale),
        "scheduler": .string(scheduler.rawValue), "eta": .number(settings.eta),
        "negative_prompt": .string(settings.negativePrompt),
        "width": .integer(Int64(settings.width)), "height": .integer(Int64(settings.height)),
        "latents_sha256": text(latentsDigest),
      ],
      "numerics": [
        "precision": .string(numerics.precision), "isa": .string(numerics.level.rawValue),
      ],
      "masks": masks?.json ?? .null, FilterRules.configurationKey: rules.json,
    ]
  }

  /// The classes of the run: the vocabulary's, or for prompts written by hand what to look for in them.
  ///
  /// - Throws: `DatasetError` where a name cannot be written.
  public func classes() throws -> ClassTable {
    let entries = plan.source.entries
    guard entries.isEmpty else { return try ClassTable(entries) }
    return try ClassTable(
      (masks?.entities ?? []).enumerated().map { position, name in
        ClassTable.Entry(id: position + 1, name: name)
      }, path: "--entities")
  }

  /// A name for the run's folder: what it shows, and a part of the configuration's hash.
  public var name: String {
    let letters = plan.source.subject.lowercased().unicodeScalars.map { scalar in
      ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "-"
    }
    let words = String(letters).split(separator: "-").joined(separator: "-").prefix(40)
    let digest = ContentHash.sha256(configuration.canonicalText.utf8).prefix(8)
    return words.isEmpty ? String(digest) : "\(words)-\(digest)"
  }

  /// The record of a sample.
  func record(
    _ made: SampleMaker.Made, reasons: [String], rejected: [SampleRecord.RejectedAttempt]
  ) -> SampleRecord {
    SampleRecord(
      index: made.sample.index, hasMask: made.labels != nil, prompt: made.sample.prompt,
      seed: made.seed, attempt: made.attempt, steps: settings.steps, guidance: settings.guidance,
      scheduler: scheduler.rawValue, width: settings.width, height: settings.height,
      reasons: reasons, entities: made.labels?.recorded ?? [], scores: made.scores,
      rejectedAttempts: rejected)
  }
}
