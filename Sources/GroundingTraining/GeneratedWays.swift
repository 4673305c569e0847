import CanonicalJSON
import Checkpoints
public import DatasetFormat
public import Generation
import LatentDiffusion
public import MaskGrounding
import TensorCore

/// What a U-Net saw when it made the pictures of a run, made again from their seeds.
///
/// Of each sample the latents of the steps that are read are kept in a folder, some kilobytes, so that the run is sampled
/// once: after that a picture takes one call of the U-Net a step.
public final class GeneratedWays {
  private static let timestepKey = "timesteps"

  /// The prompt that the pictures were made against.
  public let negativePrompt: String
  private let settings: SamplingSettings
  private let folder: String
  private let digest: String
  private let reads: [GroundingStep]
  private let model: LoadedModel

  /// Prepares to make latents again; nil where another model made the run, or no model did.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - model: the model.
  ///   - fingerprint: of the model's files.
  ///   - reads: the steps that are read.
  ///   - folder: where latents are kept; made where it is not there.
  /// - Throws: `DatasetError` where run.json is damaged, `GenerationError` where the folder cannot be made.
  public init?(
    _ run: RunContents, model: LoadedModel, fingerprint: ModelFingerprint, reads: [GroundingStep],
    folder: String
  ) throws {
    guard let made = run.configuration["sampling"],
      run.configuration["model"]?["files"]?.canonicalText == fingerprint.json.canonicalText,
      (run.configuration["model"]?.members ?? []).allSatisfy({
        ["files", "licence"].contains($0.name)
      }), made["latents_sha256"]?.isNull == true
    else { return nil }
    let path = "\(run.path)/\(RunLayout.configurationFile)"
    func fault(_ key: String) -> DatasetError {
      DatasetError(.malformed, path: path, "sampling: \(key) is not as triptych generate writes it")
    }
    guard let steps = made["steps"]?.integer, let guidance = made["guidance"]?.number,
      let width = made["width"]?.integer, let height = made["height"]?.integer
    else { throw fault("steps, guidance, width or height") }
    var settings = SamplingSettings(
      steps: steps, guidance: guidance, width: width, height: height)
    guard let rescale = made["guidance_rescale"]?.number, let eta = made["eta"]?.number,
      let negative = made["negative_prompt"]?.string,
      let kind = made["scheduler"]?.string.flatMap(SchedulerConfiguration.Kind.init)
    else { throw fault("guidance_rescale, eta, negative_prompt or scheduler") }
    (settings.guidanceRescale, settings.eta) = (rescale, eta)
    (settings.negativePrompt, settings.scheduler) = (negative, kind)
    try settings.check(pixelsPerCell: model.model.pixelsPerCell)
    (self.settings, negativePrompt, self.reads, self.folder) = (settings, negative, reads, folder)
    digest = run.configurationHash
    self.model = model
    try WholeFile.makeFolder(folder)
  }

  /// Width and height of the pictures.
  public var side: (width: Int, height: Int) { (settings.width, settings.height) }
  /// The steps of the runs that made them.
  public var steps: Int { settings.steps }

  /// What the U-Net saw of some samples.
  ///
  /// - Throws: `DiffusionError` where numbers leave their range, `CheckpointError` where a kept file is damaged or none
  ///   can be written.
  package func trajectories(of records: [SampleRecord]) throws -> [Trajectory] {
    let missing = records.filter { !FileAccess.isFile(path($0)) }
    if !missing.isEmpty { try make(missing) }
    return try records.map(read)
  }

  private func path(_ record: SampleRecord) -> String {
    "\(folder)/\(record.index)-\(record.seed).safetensors"
  }

  private func make(_ records: [SampleRecord]) throws {
    let cell = model.model.pixelsPerCell
    let guidance = Guidance(
      scale: Float(settings.guidance), rescale: Float(settings.guidanceRescale))
    let seeds = records.map(\.seed)
    let request = LatentSampler.Request(
      noise: LatentNoise.initial(
        seeds: seeds, height: settings.height / cell, width: settings.width / cell,
        channels: model.unet.configuration.inputs),
      text: model.conditioner(records.map(\.prompt)),
      unconditionalText: guidance.isOn
        ? model.conditioner(records.map { _ in settings.negativePrompt }) : nil,
      stepCount: settings.steps, guidance: guidance, eta: Float(settings.eta), seeds: seeds)
    let sampler = LatentSampler(unet: model.unet, scheduler: try model.model.scheduler(settings))
    let count = try sampler.callCount(request)
    var points: [Trajectory.Point] = []
    var seen: Set<GroundingStep> = []
    _ = try sampler(
      request,
      onStep: { progress in
        let matching = reads.filter {
          $0.matches(
            step: progress.step, timestep: progress.timestep, stepCount: count,
            wasSeen: seen.contains($0))
        }
        guard !matching.isEmpty else { return }
        seen.formUnion(matching)
        points.append(
          .init(
            step: progress.step, timestep: progress.timestep,
            modelTimestep: progress.modelTimestep, latents: progress.modelInput))
      })
    for (row, record) in records.enumerated() {
      var writer = SafetensorsWriter(metadata: ["run": digest, "prompt": record.prompt])
      writer.add(LatentsFile.key, joinedRows(points.map { $0.latents.rows(row..<row + 1) }))
      writer.add(
        Self.timestepKey,
        Tensor(
          points.flatMap { [Float($0.step), Float($0.timestep), $0.modelTimestep] },
          shape: [points.count, 3]))
      try writer.write(to: path(record))
    }
  }

  private func read(_ record: SampleRecord) throws -> Trajectory {
    let path = path(record)
    let file = try SafetensorsFile(path: path)
    let latents = try file.tensor(LatentsFile.key)
    let steps = try file.tensor(Self.timestepKey)
    guard file.metadata["run"] == digest, file.metadata["prompt"] == record.prompt,
      latents.rank == 4, steps.shape == [latents.shape[0], 3], latents.shape[0] > 0
    else {
      throw CheckpointError(
        .malformed, file: path,
        "is not what was kept of this sample; remove the folder, it is made again")
    }
    let numbers = steps.values
    return Trajectory(
      points: (0..<latents.shape[0]).map { index in
        Trajectory.Point(
          step: Int(numbers[3 * index]), timestep: Int(numbers[3 * index + 1]),
          modelTimestep: numbers[3 * index + 2], latents: latents.rows(index..<index + 1))
      })
  }
}
