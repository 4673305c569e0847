public import CanonicalJSON
public import DatasetFormat
import Generation
import Imaging
import MaskGrounding
import TensorCore

/// The pictures of a run folder: composed, imported or generated, with the run's own masks or a detector's.
///
/// A sample is learnt from where its rules accepted it, it shows a seen class, and nothing of an unseen class is in its
/// masks or its words. Every picture comes once before any comes again, in an order of its own each time. Not to be used
/// from several threads at once.
public final class RunExamples: ExampleSource {
  /// A sample that is learnt from.
  private struct Usable: Sendable {
    var sample: RunContents.Sample
    var shown: [Int]
  }

  /// What became of the run's samples.
  public struct Census: Sendable, Equatable {
    /// Learnt from.
    public var used = 0
    /// Rejected by the run's rules.
    public var rejected = 0
    /// With something of an unseen class.
    public var unseen = 0
    /// Without any class that is learnt.
    public var empty = 0
  }

  /// The classes.
  public let classes: TrainingClasses
  /// Width and height that pictures are brought to.
  public let side: (width: Int, height: Int)
  /// What became of the run's samples.
  public let census: Census
  private let run: RunContents
  private let annotations: InstanceAnnotations?
  private let ways: GeneratedWays?
  private let seed: UInt64
  private let usable: [Usable]
  private let digest: String
  /// The training's id of each of the run's ids.
  private let ids: [UInt16: UInt16]
  private var order: (round: Int, places: [Int]) = (-1, [])

  /// Looks through a run; every picture and mask is read once, so that a training does not end at the last one.
  ///
  /// - Parameters:
  ///   - run: the run.
  ///   - classes: what may be learnt; the run's classes are among them, by name.
  ///   - annotations: other masks than the run's own.
  ///   - ways: makes the latents of generated pictures again; pictures are encoded where nil.
  ///   - side: what pictures are brought to.
  ///   - seed: of their order.
  /// - Throws: `GenerationError` where a class is unknown or no sample can be learnt from; `DatasetError` where a file
  ///   is broken.
  public init(
    _ run: RunContents, classes: TrainingClasses, annotations: InstanceAnnotations? = nil,
    ways: GeneratedWays? = nil, side: (width: Int, height: Int), seed: UInt64
  ) throws {
    (self.run, self.classes, self.annotations) = (run, classes, annotations)
    (self.ways, self.side, self.seed) = (ways, side, seed)
    ids = try Self.ids(of: run, among: classes)
    let all = try run.shards.flatMap { try run.samples(of: $0) }
    let looked = try Parallel.map(all.count) { [ids] index in
      try Self.look(at: all[index], run, classes, annotations, ids)
    }
    var census = Census()
    usable = zip(all, looked).compactMap { sample, found in
      switch found.fate {
      case .used(let shown):
        census.used += 1
        return Usable(sample: sample, shown: shown)
      case .rejected: census.rejected += 1
      case .unseen: census.unseen += 1
      case .empty: census.empty += 1
      }
      return nil
    }
    self.census = census
    digest = ContentHash.sha256(looked.map { $0.digest + "\n" }.joined().utf8)
    guard !usable.isEmpty else {
      throw GenerationError(
        .malformed, run.path,
        "none of its \(all.count) samples can be learnt from: \(census.rejected) are rejected, \(census.unseen) hold "
          + "something of an unseen class, \(census.empty) show no seen class")
    }
  }

  /// The prompt that the pictures were made against.
  public var negativePrompt: String { ways?.negativePrompt ?? "" }

  /// What decides the examples.
  public var json: JSONValue {
    [
      "kind": .string(ways == nil ? "pictures" : "generated"),
      "run_sha256": .string(run.configurationHash), "pictures_sha256": .string(digest),
      "annotations": annotations?.json ?? .null, "width": .integer(Int64(side.width)),
      "height": .integer(Int64(side.height)), "seed": .string(String(seed)),
    ]
  }

  /// The examples of some places.
  ///
  /// - Throws: `DatasetError` or `DiffusionError` where a picture can no longer be read or made.
  public func examples(_ places: Range<Int>) throws -> [TrainingExample] {
    let chosen = places.map { usable[position($0)] }
    let found = try ways?.trajectories(of: chosen.map(\.sample.record))
    return try chosen.enumerated().map { index, one in
      TrainingExample(
        picture: try found.map { .way($0[index]) }
          ?? .pixels(
            run.image(of: one.sample).rgb.fitted(
              width: side.width, height: side.height, fit: .crop)),
        prompt: one.sample.record.prompt,
        seed: SampleSeed.derive(
          run: seed, index: UInt64(places.lowerBound + index), attempt: 0),
        shown: one.shown, masks: try masks(of: one))
    }
  }

  /// Which usable sample stands at a place.
  private func position(_ place: Int) -> Int {
    let (round, rest) = place.quotientAndRemainder(dividingBy: usable.count)
    if order.round != round {
      var stream = ChoiceStream(run: seed, purpose: .pictureOrder, number: round)
      order = (round, stream.permutation(usable.count))
    }
    return order.places[rest]
  }

  private func masks(of one: Usable) throws -> ExampleMasks {
    let record = one.sample.record
    let planes: [Int: [UInt8]]
    if let annotations {
      planes = annotations.planes(of: record.index)
    } else {
      guard let mask = try run.mask(of: one.sample) else {
        throw DatasetError(
          .malformed, path: one.sample.imagePath, "the sample has no mask any more")
      }
      let own = try LabelMask(
        width: mask.width, height: mask.height,
        ids: mask.ids.map { $0 == LabelMask.ignored ? $0 : ids[$0] ?? LabelMask.background })
      guard (own.width, own.height) != side else { return ExampleMasks(own) }
      planes = Dictionary(
        uniqueKeysWithValues: one.shown.map { id in
          (id, own.ids.map { Int($0) == id ? 255 : $0 == LabelMask.ignored ? 128 : 0 })
        })
    }
    return ExampleMasks(
      planes: try planes.mapValues { plane in
        try PixelImage(
          width: record.width, height: record.height, channels: .grey, samples: plane
        ).fitted(width: side.width, height: side.height, fit: .crop).samples
      }, width: side.width, height: side.height)
  }
}

extension RunExamples {
  /// What becomes of a sample.
  private enum Fate {
    case used(shown: [Int])
    case rejected
    case unseen
    case empty
  }

  private static func ids(
    of run: RunContents, among classes: TrainingClasses
  ) throws -> [UInt16: UInt16] {
    let known = Dictionary(uniqueKeysWithValues: classes.all.map { ($0.named.name, $0.id) })
    return try Dictionary(
      uniqueKeysWithValues: run.classes.entries.map { entry in
        guard let id = known[entry.name] else {
          throw GenerationError(
            .malformed, "\(run.path)/\(RunLayout.classFile)",
            "the class \"\(entry.name)\" is not among the \(classes.all.count) classes of the training; add it to "
              + "--classes, as seen or unseen")
        }
        return (UInt16(entry.id), UInt16(id))
      })
  }

  private static func look(
    at sample: RunContents.Sample, _ run: RunContents, _ classes: TrainingClasses,
    _ annotations: InstanceAnnotations?, _ ids: [UInt16: UInt16]
  ) throws -> (fate: Fate, digest: String) {
    guard sample.isAccepted else { return (.rejected, "") }
    // Decoded, and let go: a picture that is none is found now.
    _ = try run.image(of: sample)
    var digest = ContentHash.sha256(try run.imageBytes(of: sample))
    let mask = annotations == nil ? try run.mask(of: sample) : nil
    var shown = annotations?.classes(of: sample.record.index) ?? []
    if let mask {
      digest += ContentHash.sha256(mask.ids.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
      shown = try Set(mask.ids).subtracting([LabelMask.background, LabelMask.ignored]).map { id in
        guard let known = ids[id] else {
          throw DatasetError(
            .malformed, path: sample.maskPath ?? sample.imagePath,
            "holds the id \(id), which is not in classes.tsv; triptych verify says more")
        }
        return Int(known)
      }.sorted()
    } else if annotations == nil {
      return (.empty, digest)
    }
    let named = classes.named(in: sample.record.prompt).map(\.classID)
    if (shown + named).contains(where: classes.isUnseen) { return (.unseen, digest) }
    return (shown.isEmpty ? .empty : .used(shown: shown), digest)
  }
}
