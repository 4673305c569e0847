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

  private let settings: SamplingSettings
  private let folder: String
  private let digest: String
  private let reads: [GroundingStep]
  private let reader: PictureReader

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
    settings = try GenerationRun.settings(
      of: made, in: run, pixelsPerCell: model.model.pixelsPerCell)
    reader = try PictureReader(model, sampling: settings)
    (self.reads, self.folder) = (reads, folder)
    digest = run.configurationHash
    try WholeFile.makeFolder(folder)
  }

  /// Width and height of the pictures.
  public var side: (width: Int, height: Int) { (settings.width, settings.height) }
  /// The steps of the runs that made them.
  public var steps: Int { settings.steps }
  /// The prompt that the pictures were made against.
  public var negativePrompt: String { settings.negativePrompt }

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
    let all = try reader.made(
      prompts: records.map(\.prompt), seeds: records.map(\.seed), onStep: { _ in }
    ).way.points
    let points = GroundingStep.calls(reads, of: all.map(\.timestep)).map { all[$0] }
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
