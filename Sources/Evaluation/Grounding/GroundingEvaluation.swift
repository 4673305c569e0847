public import Generation
import Imaging
public import LatentDiffusion
import MaskGrounding

/// Measures sources of masks on pictures whose true masks are known.
///
/// For every picture each source is shown the same way of the U-Net, and asked for the things that the prompt names,
/// which alone compete with the background. Then it is asked once more with a thing beside them that is not there, and,
/// where the U-Net is told of such a thing, with that.
public struct GroundingEvaluation {
  /// A source to measure.
  public struct Candidate {
    /// What it is called.
    public let name: String
    /// The U-Net call that it reads, from 0, the noisiest; nil for its own choice.
    public let step: Int?
    /// What reads masks.
    public let source: LoadedMaskSource

    /// Names a source.
    public init(name: String, step: Int? = nil, source: LoadedMaskSource) {
      (self.name, self.step, self.source) = (name, step, source)
    }
  }

  /// What a source was worth.
  public struct Row: Sendable {
    /// How pictures became latents: `noise`, `ddim`, or `generated`.
    public let inversion: String
    /// The source.
    public let source: String
    /// The U-Net call that it read, where one was chosen for it.
    public let step: Int?
    /// That call's timestep.
    public internal(set) var timestep: Int?
    /// What came out, by where the things of a picture come from.
    public internal(set) var scores: [GroundingSubject.Kind: GroundingScores] = [:]
  }

  private let reader: PictureReader
  private let candidates: [Candidate]
  private let batch: Int

  /// Prepares to measure.
  ///
  /// - Parameters:
  ///   - reader: what shows the U-Net pictures.
  ///   - candidates: what is measured.
  ///   - batch: pictures that go through the U-Net together; changes no figure.
  public init(_ reader: PictureReader, _ candidates: [Candidate], batch: Int) {
    precondition(!candidates.isEmpty && batch >= 1, "\(candidates.count) sources, batch \(batch)")
    (self.reader, self.candidates, self.batch) = (reader, candidates, batch)
  }

  /// Measures on composed scenes.
  ///
  /// - Parameters:
  ///   - scenes: the scenes.
  ///   - count: how many.
  ///   - method: how they become latents.
  ///   - watch: told how many are done, counting parts; throwing ends the work.
  /// - Returns: a row for each candidate, in their order.
  /// - Throws: what `watch` throws, `GenerationError`, `DiffusionError`, `EntityError`.
  public func rows(
    _ scenes: ComposedSubjects, count: Int, method: LatentInverter.Method,
    watch: (Double) throws -> Void
  ) throws -> [Row] {
    var rows = emptyRows(method.rawValue)
    for start in stride(from: 0, to: count, by: batch) {
      let pictures = try scenes.pictures(start..<min(start + batch, count))
      let prompts = pictures.map(\.subject.prompt)
      let size = Double(pictures.count)
      let way = try reader.inverted(
        pictures.map(\.image), prompts: prompts, seeds: pictures.map(\.noiseSeed), method: method
      ) { try watch(Double(start) + 0.5 * size * $0) }
      try add(way, pictures.map(\.subject), to: &rows) {
        try watch(Double(start) + size * (0.5 + 0.5 * $0))
      }
    }
    return rows
  }

  /// Measures on pictures that the model makes.
  ///
  /// - Parameters:
  ///   - pictures: what to make.
  ///   - watch: told how many are done, counting parts; throwing ends the work.
  /// - Returns: a row for each candidate, in their order.
  /// - Throws: as the above, and what the oracle throws.
  public func rows(
    _ pictures: GeneratedSubjects, watch: (Double) throws -> Void
  ) throws -> [Row] {
    var rows = emptyRows(GroundingSubject.Kind.generated.rawValue)
    for start in stride(from: 0, to: pictures.count, by: batch) {
      let range = start..<min(start + batch, pictures.count)
      let size = Double(range.count)
      let (way, latents) = try reader.made(
        prompts: pictures.prompts(range), seeds: pictures.seeds(range)
      ) { try watch(Double(start) + 0.7 * size * $0) }
      let subjects = try pictures.subjects(range) { try reader.pictures(of: latents) }
      try add(way, subjects, to: &rows) {
        try watch(Double(start) + size * (0.7 + 0.3 * $0))
      }
    }
    return rows
  }

  private func emptyRows(_ inversion: String) -> [Row] {
    candidates.map {
      Row(inversion: inversion, source: $0.name, step: $0.step, timestep: nil)
    }
  }

  private func add(
    _ way: Trajectory, _ subjects: [GroundingSubject], to rows: inout [Row],
    onSource: (Double) throws -> Void
  ) throws {
    let best = try subjects.map {
      try TruthCeiling.mask(
        $0.truth, entities: $0.entities, pixelsPerCell: reader.pixelsPerCell)
    }
    for (index, candidate) in candidates.enumerated() {
      if let step = candidate.step {
        rows[index].timestep = way.points.first { $0.step == step }?.timestep
      }
      try add(way, subjects, best, candidate, to: &rows[index])
      try onSource(Double(index + 1) / Double(candidates.count))
    }
  }

  private func add(
    _ way: Trajectory, _ subjects: [GroundingSubject], _ best: [LabelMask],
    _ candidate: Candidate, to row: inout Row
  ) throws {
    let told = reader.reading(
      way, prompts: subjects.map(\.prompt), by: candidate.source)
    for (sample, subject) in subjects.enumerated() {
      let found = try told.mask(of: subject.entities, sample: sample)
      row.scores[subject.kind, default: GroundingScores()]
        .add(subject, found: found, best: best[sample])
      guard let unnamed = subject.unnamed else { continue }
      let asked = try told.mask(of: subject.entities + [unnamed], sample: sample)
      row.scores[subject.kind]?.addPresence(
        unnamed.classID, .unnamedAbsent, saidPresent: asked.scores.last?.isPresent ?? false)
    }
    try addFalseMentions(way, subjects, candidate, to: &row)
  }

  /// The same ways again, the U-Net being told of things that are not there.
  private func addFalseMentions(
    _ way: Trajectory, _ subjects: [GroundingSubject], _ candidate: Candidate, to row: inout Row
  ) throws {
    let mentions = subjects.map(\.falseMention)
    guard mentions.contains(where: { $0 != nil }) else { return }
    let misled = reader.reading(
      way, prompts: zip(subjects, mentions).map { $1?.prompt ?? $0.prompt }, by: candidate.source)
    for (sample, (subject, mention)) in zip(subjects, mentions).enumerated() {
      guard let mention else { continue }
      let asked = try misled.mask(of: mention.shown + [mention.absent], sample: sample)
      row.scores[subject.kind]?.addPresence(
        mention.absent.classID, .namedAbsent, saidPresent: asked.scores.last?.isPresent ?? false)
    }
  }
}
