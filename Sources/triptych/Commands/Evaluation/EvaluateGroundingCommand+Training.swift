import DatasetExports
import DatasetFormat
import Evaluation
import Generation
import GroundingTraining
import LatentDiffusion
import ObjectWorld
import TensorCore

extension EvaluateGroundingCommand {
  /// Trains a module of a sweep, or goes on with it; its folder lies in the output.
  ///
  /// - Returns: the file of its weights.
  func trained(
    _ variant: GroundingSweep.Variant, _ pack: WorldPack, digest: String, _ model: LoadedModel,
    side: Int
  ) throws -> String {
    var settings = GroundingTrainingSettings(
      steps: trainSteps, samplingSteps: try steps ?? SamplingDefaults(for: model.model).steps)
    settings.seed = pictures.seed
    if case .composed(let method) = variant.pictures { settings.inversion = method }
    try settings.check()
    let fingerprint = try ModelFingerprint(model.model)
    let folder = "\(output ?? "")/\(sweep?.rawValue ?? "")-\(variant.label)"
    let examples: any ExampleSource
    switch variant.pictures {
    case .composed:
      examples = try WorldExamples(
        pack, digest: digest, classes: variant.classes, objects: variant.objects, side: side,
        seed: pictures.seed)
    case .generated:
      examples = try runExamples(
        variant.classes, model, fingerprint, settings, latents: folder + "/latents")
    }
    let run = try GroundingTrainingRun(
      settings, examples: examples, model: model, fingerprint: fingerprint,
      numerics: "\(runtime.precision.rawValue)/\(runtime.numericLevel.rawValue)")
    let progress = ProgressReporter(total: trainSteps, unit: "step of \(variant.label)")
    let outcome = try run.train(in: folder) { made in
      try Interruption.check(
        folder, leaving: "the training is saved, the same command goes on", progress)
      progress.update(done: Double(made.step))
    }
    progress.finish()
    return outcome.weights
  }

  /// The pictures of a run as this model made them, with the oracle's masks, or the run's own where there is no oracle.
  private func runExamples(
    _ classes: TrainingClasses, _ model: LoadedModel, _ fingerprint: ModelFingerprint,
    _ settings: GroundingTrainingSettings, latents: String
  ) throws -> RunExamples {
    let run = try RunContents.open(path: pictures.data ?? "")
    guard
      let ways = try GeneratedWays(
        run, model: model, fingerprint: fingerprint, reads: settings.reads, folder: latents)
    else {
      throw GenerationError(
        .malformed, run.path, "its pictures were made by another model than this one, or by none")
    }
    let annotations = try pictures.oracle.map { path in
      try InstanceAnnotations(
        COCOAnnotationFile(
          bytes: FileAccess.bytes(of: path, limit: COCOAnnotationFile.byteLimit), path: path),
        digest: FileDigest.sha256(of: path), run: run, classes: classes, target: .union,
        scoreCut: pictures.oracleScore)
    }
    return try RunExamples(
      run, classes: classes, annotations: annotations, ways: ways, side: ways.side,
      seed: pictures.seed)
  }
}
