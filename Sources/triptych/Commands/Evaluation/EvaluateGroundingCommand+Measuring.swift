import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation
import GroundingTraining
import LatentDiffusion
import MaskGrounding
import ObjectWorld

extension EvaluateGroundingCommand {
  /// Measures on composed scenes.
  func composed(_ model: StableDiffusionModel) throws -> GroundingReport {
    let pack = try WorldPack(path: pictures.world ?? "")
    let classes = try classes.classes(of: pack)
    let side = size ?? model.usualSide
    let objects = try pictures.objectCounts()
    let scenes = try ComposedSubjects(
      pack, classes: WorldClasses(pack, classes: classes.all, place: pack.path),
      settings: SceneSettings(objects: objects, side: side), seed: pictures.seed)
    let digest = try pack.check()
    let settings = try composedSettings(model, side: side)
    let variants =
      try sweep?.variants(
        classes, objects: objects, hasRun: pictures.data != nil) ?? []
    if variants.isEmpty { try checkMemory(model, settings, objects: objects.most) }
    let loaded = try LoadedModel(model)
    let reader = try PictureReader(loaded, sampling: settings)
    var report = GroundingReport(sides: try ClassSides(classes), groups: scenes.groups)
    func measure(
      _ candidates: [GroundingEvaluation.Candidate], setting: String? = nil,
      sides: ClassSides? = nil
    ) throws {
      let evaluation = GroundingEvaluation(reader, candidates, batch: batch)
      for pass in pictures.passes {
        let progress = ProgressReporter(total: pass.count, unit: "\(pass.method.rawValue) picture")
        let rows = try evaluation.rows(scenes, count: pass.count, method: pass.method) { done in
          try Interruption.check("evaluate", leaving: "no figures were written", progress)
          progress.update(done: done)
        }
        progress.finish()
        report.add(rows, setting: setting, sides: sides)
      }
    }
    guard !variants.isEmpty else {
      try measure(try candidates(loaded, settings, callCount: settings.steps))
      return report
    }
    for variant in variants {
      let weights = try trained(variant, pack, digest: digest, loaded, side: side)
      try measure(
        [try candidate(loaded, settings, grounding: weights)], setting: variant.label,
        sides: try ClassSides(variant.classes))
    }
    return report
  }

  /// Measures on a run's pictures; also says what the oracle is worth itself.
  func generated(
    _ model: StableDiffusionModel
  ) throws -> (report: GroundingReport, oracle: [JSONValue.Member]) {
    let contents = try RunContents.open(path: pictures.data ?? "")
    let settings = try GenerationRun.settings(of: contents, for: model)
    let objects = try pictures.namedCount()
    let chosen = try GeneratedSubjects.samples(
      of: contents, objects: objects, count: pictures.count)
    let (oracle, ownIoU) = try self.oracle(contents, chosen)
    let subjects = try GeneratedSubjects(contents, chosen: chosen, oracle: oracle)
    let sides = try ClassSides(classes.classes(of: contents))
    try checkMemory(model, settings, objects: objects ?? GenerationPlan.objectLimit)
    let loaded = try LoadedModel(model)
    let reader = try PictureReader(loaded, sampling: settings)
    let calls = try model.scheduler(settings)
      .start(stepCount: settings.steps, eta: Float(settings.eta)).timesteps.count
    let evaluation = GroundingEvaluation(
      reader, try candidates(loaded, settings, callCount: calls), batch: batch)
    let progress = ProgressReporter(total: subjects.count, unit: "picture")
    let rows = try evaluation.rows(subjects) { done in
      try Interruption.check("evaluate", leaving: "no figures were written", progress)
      progress.update(done: done)
    }
    progress.finish()
    var report = GroundingReport(
      sides: sides, groups: [.init(name: "generated", title: "generated", kind: .generated)])
    report.add(rows)
    return (report, [.init("oracle_miou", ownIoU.map { .number($0) } ?? .null)])
  }

  private func oracle(
    _ contents: RunContents, _ chosen: Set<Int>
  ) throws -> (GeneratedSubjects.Oracle, ownIoU: Double?) {
    let path = pictures.oracle ?? ""
    if path.hasSuffix(".safetensors") {
      let segmenter = try Segmenter(path: path)
      return (.segmenter(segmenter), segmenter.configuration.ownIoU)
    }
    let file = try DetectionFile(
      path: path, classes: contents.classes, pictures: try GeneratedSubjects.sizes(of: contents),
      chosen: chosen, leastScore: pictures.oracleScore)
    return (.detections(file), file.ownIoU)
  }

  private func composedSettings(
    _ model: StableDiffusionModel, side: Int
  ) throws -> SamplingSettings {
    let settings = SamplingSettings(
      steps: try steps ?? SamplingDefaults(for: model).steps, guidance: guidance ?? 1,
      width: side, height: side)
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    return settings
  }

  /// What is measured: the source, every step of it in a sweep over steps, and the baseline.
  private func candidates(
    _ model: LoadedModel, _ settings: SamplingSettings, callCount: Int
  ) throws -> [GroundingEvaluation.Candidate] {
    let source = try LoadedMaskSource(
      model, masks.settings(for: self.model), sampling: settings)
    let name = source.settings.source.name
    var candidates = [GroundingEvaluation.Candidate(name: name, source: source)]
    if sweep == .step {
      candidates = try (0..<callCount).reversed().map { step in
        .init(name: name, step: step, source: try source.reading(step: step, of: callCount))
      }
    }
    guard pictures.baseline else { return candidates }
    if case .attention = source.settings.source {
      throw GenerationError(
        .usage, "--baseline", "attention is measured already; it goes with a grounding module")
    }
    let attention = try LoadedMaskSource(
      model,
      MaskSettings(
        source: .attention(masks.attention),
        composition: MaskComposer.Settings(presenceThreshold: 0)), sampling: settings)
    return candidates + [.init(name: attention.settings.source.name, source: attention)]
  }

  private func candidate(
    _ model: LoadedModel, _ settings: SamplingSettings, grounding path: String
  ) throws -> GroundingEvaluation.Candidate {
    let source = try LoadedMaskSource(
      model,
      MaskSettings(
        source: .grounding(path: path, sha256: try FileDigest.sha256(of: path)),
        composition: masks.composition(grounding: path)),
      sampling: settings)
    return .init(name: source.settings.source.name, source: source)
  }

  /// Refuses a batch that does not fit; every source reads for itself.
  private func checkMemory(
    _ model: StableDiffusionModel, _ settings: SamplingSettings, objects: Int
  ) throws {
    let attention = pictures.baseline ? [MaskSettings(source: .attention(masks.attention))] : []
    for masks in [try masks.settings(for: self.model)] + attention {
      var planned = settings
      // A module may read the predictions without the text too.
      if case .grounding = masks.source { planned.guidance = max(2, settings.guidance) }
      var request = MemoryPlan.Request(
        settings: planned, masks: masks, entities: objects + 2, count: pictures.count)
      request.encodes = pictures.source == .composed
      try MemoryPlan.check(model, request, batch: batch)
    }
  }
}
