import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import Generation
import Imaging
import LatentDiffusion
import MaskGrounding
import TensorCore
import TestSupport
import Testing

import GroundingTraining

@Suite struct RunExampleTests {
  @Test func everySampleComesOnceARound() throws {
    let tiny = try TinyTraining()
    let run = try tiny.composed("run", count: 10, side: 32)
    let examples = try RunExamples(run, classes: tiny.classes, side: (32, 32), seed: 4)
    #expect(examples.census.used == 10)
    let places = try examples.examples(0..<30)
    var prompts: [String] = []
    try run.forEachSample { prompts.append($0.record.prompt) }
    for round in 0..<3 {
      #expect(places[10 * round..<10 * round + 10].map(\.prompt).sorted() == prompts.sorted())
    }
    #expect(places[..<10].map(\.prompt) != places[10..<20].map(\.prompt))
    // What stands at a place does not depend on what was asked for before.
    let fresh = try RunExamples(run, classes: tiny.classes, side: (32, 32), seed: 4)
    #expect(try fresh.examples(17..<18)[0].prompt == places[17].prompt)
  }

  @Test func samplesWithAnythingUnseenAreLeftOut() throws {
    let tiny = try TinyTraining(seenShare: 0.66)
    let run = try tiny.composed("run", count: 12, side: 32)
    let examples = try RunExamples(run, classes: tiny.classes, side: (32, 32), seed: 4)
    let unseen = try #require(tiny.classes.all.first { $0.named.split == .unseen })
    #expect(examples.census.unseen > 0 && examples.census.used > 0)
    for example in try examples.examples(0..<24) {
      #expect(!example.shown.contains(unseen.id) && !example.masks.ids.contains(unseen.id))
      #expect(!example.prompt.contains(unseen.named.name))
    }
    let other = try TrainingClasses(
      tiny.classes.all.filter { $0.id != unseen.id }, place: "test")
    let error = try #require(throws: GenerationError.self) {
      try RunExamples(run, classes: other, side: (32, 32), seed: 4)
    }
    #expect(
      error.code == .malformed && error.message.contains("\"\(unseen.named.name)\" is not among"))
  }

  @Test func picturesOfAnotherSizeAreFittedWithTheirMasks() throws {
    let tiny = try TinyTraining()
    let run = try tiny.composed("run", count: 4, side: 64)
    let whole = try RunExamples(run, classes: tiny.classes, side: (64, 64), seed: 1)
    let small = try RunExamples(run, classes: tiny.classes, side: (32, 32), seed: 1)
    for (a, b) in zip(try whole.examples(0..<4), try small.examples(0..<4)) {
      #expect(b.masks.width == 32 && a.shown == b.shown)
      for id in a.shown {
        func share(_ masks: ExampleMasks) -> Float {
          var out = [Float](repeating: 0, count: masks.width * masks.height)
          out.withUnsafeMutableBufferPointer { masks.write(id, to: $0) }
          return out.reduce(0, +) / Float(out.count)
        }
        #expect(abs(share(a.masks) - share(b.masks)) < 0.01)
      }
    }
  }

  /// A COCO file of the run's first two samples.
  private func annotations(
    _ run: RunContents, _ classes: TrainingClasses, target: InstanceAnnotations.Target,
    scoreCut: Double = 0, change: (inout String) -> Void = { _ in }
  ) throws -> InstanceAnnotations {
    // A square of 4 × 4 and a bar of 8 × 2, by outline and by runs down the columns.
    let bar = [660] + Array(repeating: [2, 30], count: 8).flatMap { $0 }.dropLast()
    let runs = bar + [32 * 32 - bar.reduce(0, +)]
    var text = """
      {"images":[{"id":7,"width":32,"height":32,"file_name":"images/000000000.png"},
      {"id":8,"width":32,"height":32,"file_name":"000000001.png"}],
      "categories":[{"id":3,"name":"disc"}],"annotations":[
      {"id":1,"image_id":7,"category_id":3,"score":0.6,"segmentation":[[4,4,8,4,8,8,4,8]]},
      {"id":2,"image_id":7,"category_id":3,"score":0.9,"segmentation":{"size":[32,32],"counts":\(runs)}}]}
      """
    change(&text)
    return try InstanceAnnotations(
      COCOAnnotationFile(bytes: Array(text.utf8), path: "found.json"), digest: "-", run: run,
      classes: classes, target: target, scoreCut: scoreCut)
  }

  @Test func theBestInstanceOrAllOfThemAreLearnt() throws {
    let tiny = try TinyTraining()
    let run = try tiny.composed("run", count: 2, side: 32)
    let disc = try #require(tiny.classes.all.first { $0.named.name == "disc" }?.id)
    func pixels(_ found: InstanceAnnotations) -> Int {
      found.planes(of: 0)[disc]?.count { $0 == 255 } ?? 0
    }
    let classes = tiny.classes
    #expect(pixels(try annotations(run, classes, target: .best)) == 16)
    #expect(pixels(try annotations(run, classes, target: .union)) == 32)
    #expect(pixels(try annotations(run, classes, target: .union, scoreCut: 0.7)) == 16)
    let none = try annotations(run, classes, target: .union, scoreCut: 0.95)
    #expect(none.classes(of: 0).isEmpty && none.classes(of: 1).isEmpty)
    let found = try annotations(run, classes, target: .best)
    #expect(found.classes(of: 0) == [disc] && found.classes(of: 1).isEmpty)
  }

  @Test(arguments: [
    (
      "\"width\":32,\"height\":32,\"file_name\":\"images",
      "\"width\":31,\"height\":32,\"file_name\":\"images", "image 7: is 31 x 32 pixels"
    ),
    ("000000001.png", "dog.png", "image 8: its file_name is \"dog.png\""),
    ("000000001.png", "000000009.png", "image 8: its file_name is"),
    ("\"disc\"", "\"wheel\"", "annotation 1: is of the class \"wheel\""),
    ("4,4,8,4,8,8,4,8", "4,4,4,4,4,4", "annotation 1: its outline encloses no pixel"),
    ("\"size\":[32,32]", "\"size\":[32,16]", "annotation 2: its runs have the size"),
    ("\"counts\":[660", "\"counts\":[661", "annotation 2"),
    ("\"counts\":[660", "\"counts\":[-1,660", "annotation 2"),
    (
      "\"image_id\":7,\"category_id\":3,\"score\":0.9",
      "\"image_id\":9,\"category_id\":3,\"score\":0.9", "is of the picture 9"
    ),
    ("\"segmentation\":[[4,4,8,4,8,8,4,8]]", "\"bbox\":[1,1,2,2]", "has no segmentation"),
  ])
  func annotationsThatDoNotFitAreRefused(what: (from: String, to: String, told: String)) throws {
    let tiny = try TinyTraining()
    let run = try tiny.composed("run", count: 2, side: 32)
    do {
      _ = try annotations(run, tiny.classes, target: .union) { text in
        text = text.replacingOccurrences(of: what.from, with: what.to)
      }
      Issue.record("taken: \(what.to)")
    } catch {
      #expect("\(error)".contains(what.told), "\(error)")
      #expect("\(error)".hasPrefix("found.json") && !"\(error)".contains("\n"))
    }
  }

  @Test func generatedPicturesAreReadAsGeneratingReadsThem() throws {
    let tiny = try TinyTraining()
    // Masks that a module reads while pictures are made, and the same from what is learnt from.
    let settings = tiny.settings(steps: 1)
    let configuration = try settings.configuration(for: tiny.model.model)
    let module = tiny.path("module.safetensors")
    try GroundingWeights.write(
      GroundingWeights.random(configuration, seed: 8), configuration, to: module)
    var sampling = SamplingSettings(steps: 3, guidance: 3, width: 32, height: 32)
    sampling.negativePrompt = "blurry"
    let vocabulary = try Vocabulary(list: "disc,bar,square")
    let plan = try GenerationPlan(
      source: .prompts(["a disc and a bar", "a bar", "a disc"]), count: 3, seed: 2)
    let masks = MaskSettings(
      source: .grounding(path: module, sha256: "-"),
      composition: .init(threshold: 0.5, presenceThreshold: 0),
      entities: vocabulary.classes.map(\.name))
    let run = GenerationRun(
      plan: plan, settings: sampling, scheduler: try tiny.model.model.schedulerKind(sampling),
      fingerprint: tiny.fingerprint, licence: nil, latentsDigest: nil, masks: masks, shardSize: 3,
      rules: FilterRules(), numerics: ("exact", .selected))
    let folder = try RunFolder.open(
      path: tiny.path("run"), configuration: run.configuration, classes: run.classes(),
      layout: run.layout, numerics: run.numericsFingerprint)
    let maker = try SampleMaker(
      model: tiny.model.model, plan: plan, settings: sampling, masks: masks)
    _ = try GenerationPipeline(run, maker: maker, batch: 3).fill(folder, shards: [0]) { _ in }
    try folder.close()

    let contents = try RunContents.open(path: tiny.path("run"))
    let ways = try #require(
      try GeneratedWays(
        contents, model: tiny.model, fingerprint: tiny.fingerprint, reads: configuration.steps,
        folder: tiny.path("latents")))
    #expect(ways.side == (32, 32) && ways.steps == 3 && ways.negativePrompt == "blurry")
    let reader = try FeatureReader(
      tiny.model, configuration, inversion: .noise, stepCount: 3, negativePrompt: "blurry")
    let grounding = try GroundingWeights(path: module).module()
    let queries = try EntityQueryBuilder(
      tokenizer: tiny.model.tokenizer, encoder: tiny.model.encoder,
      settings: .init(configuration, isPublished: false))
    var (same, marked) = (0, 0)
    for sample in try contents.samples(of: contents.shards[0]) {
      // The second time the latents come from the folder.
      for _ in 0..<2 {
        let way = try ways.trajectories(of: [sample.record])[0]
        let example = TrainingExample(
          picture: .way(way), prompt: sample.record.prompt, seed: 0, shown: [],
          masks: ExampleMasks(planes: [:], width: 32, height: 32))
        var features = grounding.emptyFeatures
        for map in try reader.maps(of: [example], prompts: [sample.record.prompt]) {
          grounding.add(
            conditional: map.conditional, unconditional: map.unconditional, level: map.level,
            to: &features)
        }
        let finder = EntityFinder(try EntityList.entities(masks.entities))
        let entities = finder.located(in: sample.record.prompt)
        let embeddings = try entities.map { try queries.embedding(of: $0) }
        let width = embeddings[0].count
        let result = grounding(
          features,
          entities: joinedRows(embeddings.map { $0.reshaped([1, width]) })
            .reshaped([1, entities.count, width]))
        let composed = try MaskComposer(masks.composition).compose(
          EntityMaps(
            probabilities: sigmoid(result.logits(height: 32, width: 32)).reshaped([3, 32, 32]),
            presence: [1, 1, 1]), entities: entities, width: 32, height: 32)
        let expected = try #require(try contents.mask(of: sample))
        #expect(composed.mask == expected)
        same += composed.mask == expected ? 1 : 0
        marked += expected.ids.count { $0 != 0 }
      }
    }
    print("\(same) of 6 masks are those of the run, \(marked) pixels are marked")
    #expect(same == 6 && marked > 100)
    // Made by another model, pictures are encoded.
    let other = try ModelFingerprint(
      StableDiffusionModel(path: Fixture.folder.appendingPathComponent("diffusion/tiny-sd2").path))
    #expect(
      try GeneratedWays(
        contents, model: tiny.model, fingerprint: other, reads: configuration.steps,
        folder: tiny.path("other")) == nil)
  }
}
