import NeuralLayers
import TensorCore

/// One picture's way through the decoder, a chunk of classes at a time.
///
/// Between stages every class has its map, and every position the sums of its class attention; nothing else is kept but
/// the cost map. So a stage's second half, the fusion behind it and the next stage's first half go through a chunk in one
/// go, and the largest maps exist for one chunk only.
struct SEDDecoding {
  /// Some classes on their way.
  private struct Chunk {
    /// Their numbers, rising.
    var classes: [Int]
    /// Their cosines [n, h, w, P].
    var cost: Tensor
    /// What they have come to [n, H, W, C].
    var map: Tensor
  }

  /// Classes that go together where nothing else is said: enough to keep all threads busy, few enough for the caches.
  private static let classesTogether = 8

  private let decoder: SEDDecoder
  private let options: SEDOptions
  private let sentences: Tensor
  private let positions: Tensor
  private let pictureTerms: [Tensor]
  private let chunkSize: Int
  private var chunks: [Chunk] = []
  /// Sums of the class attention of the stage that `chunks` have entered.
  private var sums: Tensor?

  /// Whether each class entered each stage [3][T].
  private(set) var survivors: [[Bool]] = []
  /// Logits of the auxiliary heads [1, h, w, T], where they are wanted.
  private(set) var auxiliaryLogits: [Tensor] = []

  private var classCount: Int { sentences.shape[0] }

  /// Prepares a picture.
  ///
  /// - Parameters:
  ///   - decoder: the layers.
  ///   - features: of one picture.
  ///   - sentences: [T, P, D], each of length 1.
  ///   - options: what is wanted.
  init(_ decoder: SEDDecoder, _ features: SEDFeatures, sentences: Tensor, options: SEDOptions) {
    (self.decoder, self.options, self.sentences) = (decoder, options, sentences)
    chunkSize = min(options.classChunk ?? Self.classesTogether, sentences.shape[0])
    positions = unitVectors(features.dense)
    pictureTerms = decoder.pictureTerms(features)
  }

  /// Goes all the way to the final logits [1, H/4, W/4, T].
  mutating func logits() -> Tensor {
    enter(0, chunks: (classCount + chunkSize - 1) / chunkSize) { decoding, index in
      decoding.embedded(index)
    }
    for stage in 1..<decoder.stages.count {
      enter(stage, chunks: chunks.count) { decoding, index in
        decoding.takeFused(index, stage: stage - 1)
      }
    }
    var rows: [(classes: [Int], logits: Tensor)] = []
    for index in chunks.indices {
      let chunk = takeFused(index, stage: decoder.stages.count - 1)
      rows.append((chunk.classes, decoder.head(chunk.map)))
    }
    return placed(rows)
  }

  /// The first map of a chunk of all classes.
  private func embedded(_ index: Int) -> Chunk {
    let classes = index * chunkSize..<min(classCount, (index + 1) * chunkSize)
    let cost = decoder.costMap(positions, sentences: sentences.rows(classes))
    return Chunk(classes: Array(classes), cost: cost, map: decoder.embedding(cost))
  }

  /// The second half of a stage for one chunk, which is taken away.
  private mutating func takeFused(_ index: Int, stage: Int) -> Chunk {
    var chunk = chunks[index]
    chunks[index].map = Tensor.zeros([0])
    chunks[index].cost = Tensor.zeros([0])
    guard let sums else { preconditionFailure("stage \(stage) was not entered") }
    let layers = decoder.stages[stage]
    chunk.map = layers.attention(chunk.map, sums: sums, pooling: options.pooling)
    chunk.map = layers.fusion(
      chunk.map, costGuidance: decoder.costGuidance(chunk.cost, stage: stage),
      pictureTerm: pictureTerms[stage])
    return chunk
  }

  /// Makes the maps of all chunks before a stage, chooses who goes on, and takes those through the stage's first half.
  private mutating func enter(
    _ stage: Int, chunks count: Int, _ make: (inout SEDDecoding, Int) -> Chunk
  ) {
    let wantsLogits = options.auxiliaryLogits || options.rejection != nil
    var made: [Chunk] = []
    var rows: [(classes: [Int], logits: Tensor)] = []
    var next: Tensor?
    for index in 0..<count {
      var chunk = make(&self, index)
      if wantsLogits {
        rows.append((chunk.classes, decoder.auxiliaryHeads[stage](chunk.map)))
      }
      if !options.rejects { chunk.map = summed(chunk.map, stage, &next) }
      made.append(chunk)
    }
    let logits = wantsLogits ? placed(rows) : nil
    if options.auxiliaryLogits { auxiliaryLogits += logits.map { [$0] } ?? [] }
    var alive = made.flatMap(\.classes)
    if options.rejects {
      alive = chosen(among: alive, stage: stage, logits)
      made = Self.regrouped(made, alive, size: chunkSize)
      for index in made.indices { made[index].map = summed(made[index].map, stage, &next) }
    }
    survivors.append((0..<classCount).map(Set(alive).contains))
    (chunks, sums) = (made, next)
  }

  /// A stage's first half: fusion over space, and what the classes add to the sums.
  private func summed(_ map: Tensor, _ stage: Int, _ sums: inout Tensor?) -> Tensor {
    let layers = decoder.stages[stage]
    let fused = layers.spatial(map)
    sums = layers.attention.sums(fused, pooling: options.pooling, adding: sums)
    return fused
  }

  /// The classes that enter a stage.
  private func chosen(among classes: [Int], stage: Int, _ logits: Tensor?) -> [Int] {
    if let dictated = options.dictatedSurvivors {
      let wanted = Set(dictated[stage])
      return classes.filter(wanted.contains)
    }
    guard let logits, let count = options.rejection, count < classes.count else { return classes }
    let best = bestClasses(logits, count: count)
    return classes.filter { best[$0] }
  }

  /// Chunks of some of the classes; the others' maps are let go.
  private static func regrouped(_ chunks: [Chunk], _ alive: [Int], size: Int) -> [Chunk] {
    if alive.count == chunks.reduce(0, { $0 + $1.classes.count }) { return chunks }
    let wanted = Set(alive)
    let each = chunks.flatMap { chunk in
      chunk.classes.enumerated().filter { wanted.contains($1) }.map { place, number in
        Chunk(
          classes: [number], cost: chunk.cost.rows(place..<place + 1),
          map: chunk.map.rows(place..<place + 1))
      }
    }
    return stride(from: 0, to: each.count, by: size).map { first in
      let part = each[first..<min(each.count, first + size)]
      return Chunk(
        classes: part.flatMap(\.classes), cost: joinedRows(part.map(\.cost)),
        map: joinedRows(part.map(\.map)))
    }
  }

  /// Logits of chunks [n, h, w, 1] in the places of their classes [1, h, w, T]; -∞ in the others.
  private func placed(_ rows: [(classes: [Int], logits: Tensor)]) -> Tensor {
    let (_, h, w, _) = rows[0].logits.dimensions4("logits")
    var maps = [Tensor](
      repeating: Tensor(repeating: -.infinity, shape: [1, h, w, 1]), count: classCount)
    for (classes, logits) in rows {
      for (place, number) in classes.enumerated() {
        maps[number] = logits.rows(place..<place + 1)
      }
    }
    return joinedRows(maps).reshaped([1, classCount, h, w]).channelsLast()
  }
}

/// Whether a class is among the `count` best at some position; of equal ones the first are better.
///
/// - Shapes: `logits` [..., T] → T.
func bestClasses(_ logits: Tensor, count: Int) -> [Bool] {
  let t = logits.lastDimension
  var isBest = [Bool](repeating: false, count: t)
  var best: [Int] = []
  logits.withUnsafeBuffer { values in
    for start in stride(from: 0, to: values.count, by: t) {
      best.removeAll(keepingCapacity: true)
      for number in 0..<t where values[start + number] > -.infinity {
        let value = values[start + number]
        if best.count == count, let last = best.last {
          guard value > values[start + last] else { continue }
          best.removeLast()
        }
        let place = best.firstIndex { values[start + $0] < value } ?? best.count
        best.insert(number, at: place)
      }
      for number in best { isBest[number] = true }
    }
  }
  return isBest
}
