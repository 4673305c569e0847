import MaskGrounding
import ModelTraining
import TensorCore

/// What one step learns from.
struct TrainingBatch {
  /// The U-Net's maps of the step's pictures.
  let maps: [FeatureReader.FeatureMap]
  /// The embeddings of what is asked for [N, n, D].
  let entities: Tensor
  /// The answers.
  let targets: GroundingTargets
  /// What the step has seen, for the log.
  let shown: [Int]
  let absent: [Int]
  let namedAbsent: Int
  let unseen: Int

  /// - Throws: `EntityError` where a class's words have no token, `DiffusionError` where numbers leave their range.
  init(
    _ examples: [TrainingExample], _ questions: [TrainingQuestion], classes: TrainingClasses,
    reader: FeatureReader, queries: EntityQueryBuilder
  ) throws {
    maps = try reader.maps(of: examples, prompts: questions.map(\.prompt))
    let embeddings = try questions.flatMap { question in
      try question.entities.map { entity in
        let embedding = try queries.embedding(of: entity)
        return embedding.reshaped([1, embedding.count])
      }
    }
    let (n, count) = (examples.count, questions[0].entities.count)
    let (height, width) = (examples[0].masks.height, examples[0].masks.width)
    entities = joinedRows(embeddings).reshaped([n, count, embeddings[0].lastDimension])
    let masks = Tensor(shape: [n, count, height, width]) { out in
      for (sample, (example, question)) in zip(examples, questions).enumerated() {
        for (index, entity) in question.entities.enumerated() {
          let start = (sample * count + index) * height * width
          example.masks.write(
            entity.classID,
            to: UnsafeMutableBufferPointer(rebasing: out[start..<start + height * width]))
        }
      }
    }
    let presence = questions.flatMap { $0.isShown.map { Float($0 ? 1 : 0) } }
    targets = GroundingTargets(
      masks: masks, presence: Tensor(presence, shape: [n, count]))
    shown = examples.flatMap(\.shown)
    absent = questions.flatMap { question in
      zip(question.entities, question.isShown).filter { !$1 }.map(\.0.classID)
    }
    namedAbsent = questions.reduce(0) { $0 + $1.namedAbsent }
    // Looked for anew in what is really learnt from, whatever was chosen before.
    unseen = zip(examples, questions).count { example, question in
      let ids =
        example.shown + example.masks.ids + question.entities.map(\.classID)
        + classes.named(in: question.prompt).map(\.classID)
      return ids.contains(where: classes.isUnseen)
    }
  }
}
