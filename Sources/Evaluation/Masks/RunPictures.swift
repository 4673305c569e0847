public import DatasetFormat
import Imaging

/// The accepted samples of a run, with their masks.
public final class RunPictures: LabelledPictures {
  /// The run's folder.
  public var path: String { contents.path }
  /// The classes whose ids the masks hold.
  public let classes: ClassTable
  /// The names of the samples' files, in the order of their numbers.
  public let names: [String]
  /// The names of rejected samples, which are left out.
  public let passedOver: Set<String>
  /// What no class covers.
  public let background: BackgroundRole

  private let contents: RunContents
  /// The shard of each sample, as a place in the run's list, and the sample's place in the shard.
  private let places: [(shard: Int, sample: Int)]
  /// The records of the shard that was read last: pictures are asked for in order.
  private var held: (shard: Int, samples: [RunContents.Sample])?

  /// Lists a run's samples.
  ///
  /// - Parameters:
  ///   - contents: the run.
  ///   - classes: what the masks' ids mean; nil for the run's own table.
  ///   - accepted: leave out what filters rejected.
  ///   - background: what pixels of no class are.
  /// - Throws: `DatasetError` where a shard cannot be read or a sample has no mask.
  public init(
    _ contents: RunContents, classes: ClassTable? = nil, accepted: Bool = true,
    background: BackgroundRole = .scored
  ) throws {
    self.contents = contents
    self.classes = classes ?? contents.classes
    self.background = background
    var names: [String] = []
    var rejected: Set<String> = []
    var places: [(Int, Int)] = []
    for (shard, found) in contents.shards.enumerated() {
      for (place, sample) in try contents.samples(of: found).enumerated() {
        let name = MaskFolder.stem(of: sample.record.image)
        guard sample.isAccepted || !accepted else {
          rejected.insert(name)
          continue
        }
        guard sample.record.hasMask else {
          throw DatasetError(
            .malformed, path: sample.imagePath,
            "the sample has no mask; expected a run with masks, made without --no-masks")
        }
        names.append(name)
        places.append((shard, place))
      }
    }
    guard !names.isEmpty else {
      throw DatasetError(.malformed, path: contents.path, "no finished, accepted sample is in it")
    }
    (self.names, self.places, passedOver) = (names, places, rejected)
  }

  /// Some of the samples, not decoded yet.
  ///
  /// - Throws: `DatasetError` where their records cannot be read.
  public func pictures(_ positions: Range<Int>) throws -> [LabelledPicture] {
    try positions.map { position in
      let (shard, place) = places[position]
      if held?.shard != shard {
        held = (shard, try contents.samples(of: contents.shards[shard]))
      }
      guard let sample = held?.samples[place] else { preconditionFailure("no shard \(shard)") }
      let contents = contents
      return LabelledPicture(
        name: names[position], place: sample.maskPath ?? sample.imagePath,
        truth: {
          guard let mask = try contents.mask(of: sample) else {
            preconditionFailure("\(sample.imagePath) has no mask")
          }
          return mask
        }, image: { try contents.image(of: sample) })
    }
  }
}
