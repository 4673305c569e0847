import CanonicalJSON
public import DatasetFormat
import Generation
import Imaging
import LatentDiffusion
import MaskGrounding

/// Pictures of a run, made once more from their seeds, with the masks that an oracle draws of them.
public struct GeneratedSubjects {
  /// Draws the masks of a picture.
  public enum Oracle {
    /// A detector did, beforehand.
    case detections(DetectionFile)
    /// A segmenter does, of the pictures that are made.
    case segmenter(Segmenter)
  }

  private struct Sample {
    var index: Int
    var prompt: String
    var seed: UInt64
    var entities: [Entity]
  }

  private let samples: [Sample]
  private let oracle: Oracle
  private let all: [Entity]

  /// The samples of a run that can be measured.
  ///
  /// - Parameters:
  ///   - contents: the run.
  ///   - objects: only samples whose prompts name so many classes; all that name any where nil.
  ///   - count: the most samples.
  /// - Returns: their numbers.
  /// - Throws: `GenerationError` where there are none, `DatasetError` where records cannot be read.
  public static func samples(
    of contents: RunContents, objects: Int?, count: Int
  ) throws -> Set<Int> {
    let finder = NamedClasses(contents.classes)
    var chosen: Set<Int> = []
    for shard in contents.shards where chosen.count < count {
      for record in try contents.storedRecords(of: shard) where chosen.count < count {
        let named = finder.ids(in: record.prompt).count
        guard objects.map({ $0 == named }) ?? (named > 0), record.steps != nil else { continue }
        chosen.insert(record.index)
      }
    }
    guard !chosen.isEmpty else {
      throw GenerationError(
        .malformed, contents.path,
        "no finished sample was made by a model from a prompt that names "
          + (objects.map { "\($0) of its classes" } ?? "one of its classes"))
    }
    return chosen
  }

  /// Width and height of every finished sample of a run, by number.
  ///
  /// - Throws: `DatasetError` where records cannot be read.
  public static func sizes(of contents: RunContents) throws -> [Int: (width: Int, height: Int)] {
    var sizes: [Int: (width: Int, height: Int)] = [:]
    for shard in contents.shards {
      for record in try contents.storedRecords(of: shard) {
        sizes[record.index] = (record.width, record.height)
      }
    }
    return sizes
  }

  /// Prepares to make pictures anew.
  ///
  /// - Parameters:
  ///   - contents: the run.
  ///   - chosen: the numbers of the samples to make.
  ///   - oracle: what draws their masks.
  /// - Throws: `GenerationError` where the oracle does not know a class that prompts name, `DatasetError` where records
  ///   cannot be read.
  public init(_ contents: RunContents, chosen: Set<Int>, oracle: Oracle) throws {
    self.oracle = oracle
    let finder = NamedClasses(contents.classes)
    all = finder.entities
    var samples: [Sample] = []
    for shard in contents.shards where shard.indices.contains(where: chosen.contains) {
      for record in try contents.storedRecords(of: shard) where chosen.contains(record.index) {
        samples.append(
          Sample(
            index: record.index, prompt: record.prompt, seed: record.seed,
            entities: finder.located(in: record.prompt)))
      }
    }
    self.samples = samples
    let known: Set<Int>
    let path: String
    switch oracle {
    case .detections(let file): (known, path) = (file.knownClasses, file.path)
    case .segmenter(let segmenter):
      (known, path) = (segmenter.ids(in: contents.classes), segmenter.path)
    }
    for sample in samples {
      guard let other = sample.entities.first(where: { !known.contains($0.classID) }) else {
        continue
      }
      throw GenerationError(
        .malformed, path,
        "does not know \"\(other.name)\", which the prompt of sample \(sample.index) names; give an oracle for all "
          + "classes of \(contents.path)")
    }
  }

  /// Pictures to make.
  public var count: Int { samples.count }

  func prompts(_ range: Range<Int>) -> [String] { samples[range].map(\.prompt) }

  func seeds(_ range: Range<Int>) -> [UInt64] { samples[range].map(\.seed) }

  /// What is known of some pictures.
  func subjects(
    _ range: Range<Int>, making pictures: () throws -> [PixelImage]
  ) throws -> [GroundingSubject] {
    let truths: [LabelMask]
    switch oracle {
    case .detections(let file):
      truths = try samples[range].map { try file.mask(ofSample: $0.index) }
    case .segmenter(let segmenter):
      truths = try zip(samples[range], pictures()).map { sample, picture in
        try segmenter.mask(of: picture, naming: sample.entities.map { ($0.name, $0.classID) })
      }
    }
    return zip(samples[range], truths).map { sample, truth in
      GroundingSubject(
        kind: .generated, prompt: sample.prompt, entities: sample.entities, truth: truth,
        unnamed: unnamed(sample, truth))
    }
  }

  /// A class that is neither in the prompt nor in the picture.
  private func unnamed(_ sample: Sample, _ truth: LabelMask) -> Entity? {
    let there = Set(truth.ids.map(Int.init)).union(sample.entities.map(\.classID))
    let others = all.filter { !there.contains($0.classID) }
    guard !others.isEmpty else { return nil }
    var stream = ChoiceStream(run: sample.seed, purpose: .absentClass, number: 0)
    return others[stream.next(below: others.count)]
  }
}
