import CanonicalJSON
public import DatasetFormat
public import Imaging

/// A run with masks that were drawn, not found: what exports need, without a model.
///
/// Its samples cover what is awkward: odd sizes, holes, single pixels, masks without any object, ignored pixels, pieces
/// that touch at corners, prompts with quotes, line ends and letters of all kinds, rejected samples, prompts that
/// several samples share.
public struct SyntheticRun: Sendable {
  /// Samples.
  public var count: Int
  /// Samples of a shard.
  public var shardSize: Int
  /// Classes.
  public var classCount: Int
  /// How many samples share a prompt.
  public var promptSize: Int
  /// Whether every picture has the same even size.
  public var isUniform: Bool
  /// Whether samples have masks.
  public var hasMasks = true
  /// An id in the last mask that no class has; nil for none.
  public var strayClass: UInt16?

  /// Describes a run.
  public init(
    count: Int = 24, shardSize: Int = 7, classCount: Int = 5, promptSize: Int = 2,
    isUniform: Bool = false
  ) {
    self.count = count
    self.shardSize = shardSize
    self.classCount = classCount
    self.promptSize = promptSize
    self.isUniform = isUniform
  }

  /// The classes; their ids have gaps, so that their numbers in a data set differ.
  public func classes() throws -> ClassTable {
    let names = ["dog", "traffic light", "\u{732b} & <cat>", "d\u{e9}j\u{e0} \"vu\"", "it's|5%"]
    return try ClassTable(
      (0..<classCount).map { position in
        ClassTable.Entry(
          id: 2 * position + 1,
          name: position < names.count ? names[position] : "class \(position)",
          aliases: position == 0 ? ["hound"] : [])
      })
  }

  /// Whether a sample is rejected.
  public func isRejected(_ index: Int) -> Bool { index % 11 == 5 }

  /// Writes the run.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - shards: the shards to make, in this order; nil for all.
  public func write(to path: String, shards: [Int]? = nil) throws {
    let layout = RunLayout(sampleCount: count, shardSize: shardSize)
    let folder = try RunFolder.open(
      path: path,
      configuration: [
        "program": "triptych", "seed": "7", "count": .integer(Int64(count)),
        "shard_size": .integer(Int64(layout.shardSize)),
        "model": ["files": ["unet": "ab12"], "licence": "openrail | \"as is\""],
        "source": ["templates": ["a photo of {object}", "<b>{object}</b>"]],
      ], classes: try classes(), layout: layout, numerics: "portable")
    for shard in shards ?? Array(0..<layout.shardCount) {
      let writer = try folder.openShard(shard)
      for index in writer.missing {
        let (record, image, mask) = try sample(index)
        try writer.add(record, image: image, mask: mask)
      }
      try writer.commit()
    }
    try folder.close()
  }

  /// A sample.
  public func sample(_ index: Int) throws -> (SampleRecord, PixelImage, LabelMask?) {
    var random = SeededGenerator(seed: UInt64(index))
    let width = isUniform ? 64 : random.choose([64, 1, 37, 101])
    let height = isUniform ? 48 : random.choose([48, 63, 1, 33])
    let image = try PixelImage(
      width: width, height: height, channels: .rgb,
      samples: (0..<width * height * 3).map { place in
        UInt8(truncatingIfNeeded: place / 3 % width * 5 + place / 3 / width * 3 + index * 17)
      })
    var mask = try LabelMask(
      width: width, height: height, ids: Array(repeating: 0, count: width * height))
    if index % 6 != 1 { try draw(on: &mask, index: index, random: &random) }
    if let strayClass, index == count - 1 { mask[0, 0] = strayClass }
    let ids = Set(mask.ids).subtracting([LabelMask.background, LabelMask.ignored]).sorted()
    let names = try classes().entries
    let entities = hasMasks ? ids.map { entity(Int($0), names, mask) } : []
    let record = SampleRecord(
      index: index, hasMask: hasMasks, prompt: prompt(index), seed: UInt64.max - UInt64(index),
      steps: 25, guidance: 7.5, scheduler: "ddim", width: width, height: height,
      reasons: isRejected(index) ? ["area"] : [], entities: entities,
      scores: SampleRecord.Scores(of: image))
    return (record, image, hasMasks ? mask : nil)
  }

  private func prompt(_ index: Int) -> String {
    let group = index / promptSize
    let texts = [
      "a photo of a dog", "\"quoted\" <b>&amp; 'single'", "two\nlines\tand a tab \u{1}",
      "\u{732b}\u{3068}\u{72ac} \u{1f415}", "back\\slash \u{2028} and \u{202e}turned",
    ]
    return "\(texts[group % texts.count]) \(group)"
  }

  private func entity(
    _ id: Int, _ classes: [ClassTable.Entry], _ mask: LabelMask
  ) -> SampleRecord.Entity {
    let name = classes.first { $0.id == id }?.name ?? "?"
    let area = Double(mask.ids.count { Int($0) == id }) / Double(mask.ids.count)
    return SampleRecord.Entity(
      name: name, classID: id, words: name, isNamed: true, isPresent: true, presence: 0.9,
      area: area, confidence: 0.8, edgeConfidence: 0.7, parts: 1, touchesBorder: false)
  }

  private func draw(
    on mask: inout LabelMask, index: Int, random: inout SeededGenerator
  ) throws {
    var ids = mask.ids
    let (width, height) = (mask.width, mask.height)
    func paint(_ id: UInt16, where contains: (_ x: Int, _ y: Int) -> Bool) {
      for place in ids.indices where contains(place % width, place / width) { ids[place] = id }
    }
    func anyClass() -> UInt16 { UInt16(2 * Int(random.next() % UInt64(classCount)) + 1) }
    for _ in 0..<1 + index % 3 {
      let (x, y) = (
        Int(random.next() % UInt64(width)), Int(random.next() % UInt64(height))
      )
      let radius = 2 + Int(random.next() % UInt64(max(width, height) / 2 + 1))
      let id = anyClass()
      paint(id) { ($0 - x) * ($0 - x) + ($1 - y) * ($1 - y) <= radius * radius }
      // A hole, sometimes with an island of another class or of the same one.
      if index % 2 == 0 {
        let hole = radius / 3
        paint(0) { ($0 - x) * ($0 - x) + ($1 - y) * ($1 - y) <= hole * hole }
        if index % 4 == 0 { paint(index % 8 == 0 ? id : anyClass()) { $0 == x && $1 == y } }
      }
    }
    // Pixels that touch at corners only, a ring closed by corners, and a single pixel in the last place.
    if index % 5 == 0 { paint(1) { $0 < 6 && $1 < 6 && ($0 + $1) % 2 == 0 } }
    if index % 5 == 2 { paint(3) { abs($0 - 8) + abs($1 - 8) == 5 } }
    if index % 7 == 3 { ids[ids.count - 1] = 1 }
    if index % 3 == 0 { paint(LabelMask.ignored) { $0 == width / 2 || ($1 == 2 && $0 > 3) } }
    mask = try LabelMask(width: width, height: height, ids: ids)
  }
}
