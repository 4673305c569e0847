/// A plan that was written down: JSON lines, a sample each.
///
/// The file is a stranger's until it is read: numbers in order, seeds, words where the prompt has them, one name an id.
public struct PlanFile: Sendable {
  /// The largest file read, in bytes; some 800,000 samples.
  public static let sizeLimit = 256 << 20

  /// The file.
  public let path: String
  /// Its SHA-256.
  public let sha256: String
  /// The samples in order.
  public let samples: [GenerationPlan.Sample]
  /// The seed of each sample's first attempt.
  public let seeds: [UInt64]
  /// The classes with their ids, by ascending id: of the vocabulary where one is given, else those it names.
  public let classes: [(id: Int, named: VocabularyClass)]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - vocabulary: where names, ids, aliases and splits are looked up; nil to take names and ids from the file.
  /// - Throws: ``GenerationError`` with file and line.
  public init(path: String, vocabulary: Vocabulary? = nil) throws {
    let size = try FileAccess.size(of: path)
    guard size <= Self.sizeLimit else {
      throw GenerationError(
        .malformed, path, "has \(size) bytes; at most \(Self.sizeLimit) are read")
    }
    var samples: [GenerationPlan.Sample] = []
    var seeds: [UInt64] = []
    var names: [Int: String] = [:]
    for one in vocabulary?.numbered ?? [] { names[one.id] = one.named.name }
    // Templates are few; each is held once.
    var templates: [String: String] = [:]
    try LineReader.forEachLine(of: path) { line, number in
      let place = "\(path):\(number)"
      let content = try PlanLine.read(line, index: samples.count, place: place)
      for (mention, name) in zip(content.sample.mentions, content.names) {
        let id = mention.classPosition + 1
        let known = names[id]
        if known == nil, vocabulary == nil { names[id] = name }
        guard let known = names[id], known == name else {
          let there = names[id].map { "\"\($0)\"" } ?? "no class"
          throw GenerationError(
            .malformed, place,
            "the class id \(id) is \"\(name)\" here and \(there) in "
              + (vocabulary.map { "the vocabulary \($0.name)" } ?? "an earlier line"))
        }
      }
      let template = templates[content.sample.template] ?? content.sample.template
      templates[template] = template
      samples.append(
        GenerationPlan.Sample(
          index: samples.count, prompt: content.sample.prompt,
          mentions: content.sample.mentions, template: template))
      seeds.append(content.seed)
    }
    guard !samples.isEmpty else { throw GenerationError(.malformed, path, "has no sample") }
    guard Set(names.values).count == names.count else {
      throw GenerationError(.malformed, path, "one class name stands for two class ids")
    }
    self.path = path
    sha256 = try FileDigest.sha256(of: path)
    self.samples = samples
    self.seeds = seeds
    classes =
      try vocabulary?.numbered
      ?? names.sorted { $0.key < $1.key }.map {
        ($0.key, try VocabularyClass(name: $0.value, place: path))
      }
  }
}

extension PlanFile: Equatable {
  /// Whether two plans have the same bytes and classes.
  public static func == (a: PlanFile, b: PlanFile) -> Bool {
    a.sha256 == b.sha256
      && a.classes.elementsEqual(b.classes) { $0.id == $1.id && $0.named == $1.named }
  }
}

extension GenerationPlan {
  /// Writes the samples to a file that appears under its name when it is complete.
  ///
  /// - Parameters:
  ///   - path: the file; one that is there is replaced.
  ///   - watch: told how many samples are written, now and then; throwing ends the work and leaves no file.
  /// - Throws: ``GenerationError`` where it cannot be made; what `watch` throws.
  public func write(to path: String, watch: (Int) throws -> Void) throws {
    let classes = Dictionary(uniqueKeysWithValues: source.classes.map { ($0.id, $0.named) })
    try WholeFile.checkPlace(path)
    let file = try WholeFileWriter(path)
    for index in 0..<count {
      let line = PlanLine.text(sample(index), seed: sampleSeed(index, attempt: 0)) { position in
        guard let named = classes[position + 1] else {
          preconditionFailure("sample \(index) names class \(position + 1)")
        }
        return named
      }
      try file.append((line + "\n").utf8)
      if index % 1000 == 0 { try watch(index) }
    }
    try file.commit()
  }
}
