public import CanonicalJSON
public import DatasetFormat
public import Generation
import Imaging
import TensorCore

/// A run of composed scenes, and the folder it fills.
public struct CompositionRun: Sendable {
  /// The version of how scenes are composed: a run goes on only with the one it began with.
  public static let sceneVersion = 1
  /// Scenes that are made before they are written, for each thread.
  private static let batchOfThread = 8

  /// What makes scenes.
  public let composer: SceneComposer
  /// The pack's content, as ``WorldPack/check()`` gives it.
  public let packDigest: String
  /// Scenes.
  public let count: Int
  /// The run's seed.
  public let seed: UInt64
  /// Scenes of a shard.
  public let shardSize: Int

  /// Describes a run.
  ///
  /// - Precondition: `count` from 1 to `RunLayout.sampleLimit`, `shardSize` from 1.
  public init(
    _ composer: SceneComposer, packDigest: String, count: Int, seed: UInt64, shardSize: Int
  ) {
    self.composer = composer
    self.packDigest = packDigest
    self.count = count
    self.seed = seed
    self.shardSize = shardSize
  }

  /// Scenes and shards.
  public var layout: RunLayout { RunLayout(sampleCount: count, shardSize: shardSize) }

  /// The arithmetic in one word, for DONE: the same on every machine and at every kernel level.
  public var numericsFingerprint: String { "scenes/\(Self.sceneVersion)" }

  /// Only pictures of one colour are turned away, which a pack of flat pictures may give.
  private var rules: FilterRules {
    var rules = FilterRules()
    rules.attempts = 1
    return rules
  }

  /// All that decides the bytes of the run, for run.json: no time, no host, no path.
  public var configuration: JSONValue {
    let settings = composer.settings
    return [
      "program": "triptych", "version": .string(ProgramVersion.text),
      "seed": .string(String(seed)), "count": .integer(Int64(count)),
      "shard_size": .integer(Int64(layout.shardSize)),
      "world": [
        "sha256": .string(packDigest), "subset": .string(composer.subset.rawValue),
        "licence": composer.pack.licence.map { .string($0) } ?? .null,
      ],
      "scenes": [
        "version": .integer(Int64(Self.sceneVersion)), "objects": settings.objects.json,
        "doubles": .integer(Int64(settings.doubles)),
        "only": settings.only.map { .string($0.rawValue) } ?? .null,
        "width": .integer(Int64(settings.side)), "height": .integer(Int64(settings.side)),
      ],
      "source": ["classes": .array(composer.classes.classes.map(\.named.json))],
      "masks": ["source": "composed"], FilterRules.configurationKey: rules.json,
    ]
  }

  /// A name for the run's folder: its subset, and a part of the configuration's hash.
  public var name: String {
    let digest = ContentHash.sha256(configuration.canonicalText.utf8).prefix(8)
    return "composed-\(composer.subset.rawValue)-\(digest)"
  }

  /// Makes what is missing in the folder.
  ///
  /// - Parameters:
  ///   - folder: the run's folder.
  ///   - shards: the shards to make.
  ///   - watch: told what happens, after every step; throwing ends the run, what is kept stays.
  /// - Returns: what the shards hold.
  /// - Throws: what `watch` throws, `DatasetError`, `GenerationError`.
  public func fill(
    _ folder: RunFolder, shards: [Int], watch: (GenerationPipeline.Event) throws -> Void
  ) throws -> GenerationPipeline.Summary {
    let batch = Self.batchOfThread * Parallel.threadCount
    return try RunFilling.fill(folder, shards: shards, watch: watch) { shard, keep in
      for start in stride(from: 0, to: shard.missing.count, by: batch) {
        let indices = shard.missing[start..<min(start + batch, shard.missing.count)]
        let made = try Parallel.map(indices.count) { place in
          let index = indices[indices.startIndex + place]
          let scene = try composer.scene(run: seed, index: index)
          return (scene, scene.record(index: index, rules: rules))
        }
        for (scene, record) in made { try keep(record, scene.image, scene.mask) }
      }
    }
  }
}
