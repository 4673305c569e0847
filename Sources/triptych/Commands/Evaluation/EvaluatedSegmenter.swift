import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation
import Imaging
import OpenVocabulary
import TensorCore

/// A segmenter that is measured: the small one of this program, or one of any words.
struct EvaluatedSegmenter {
  private enum Kind {
    case small(Segmenter)
    case words(SegmenterModel)
  }

  private let kind: Kind
  private let options: SegmenterOptions
  private let labels: LabelOptions
  private let settings: SegmenterSettings
  private let runtime: RuntimeOptions

  /// Opens the model; what it is, the file says.
  ///
  /// - Throws: `CheckpointError` where it is none, `SegmenterError` or a usage error where an option is another model's.
  init(
    _ options: SegmenterOptions, _ labels: LabelOptions, multiScale: Bool, inputSize: Int?,
    _ runtime: RuntimeOptions
  ) throws {
    (self.options, self.labels, self.runtime) = (options, labels, runtime)
    settings = options.settings(multiScale: multiScale, inputSide: inputSize)
    if try Segmenter.wrote(options.model) {
      guard settings == SegmenterSettings(), options.headBlock == nil, options.architecture == nil
      else {
        throw ValidationError(
          "\(options.model) is a segmenter of triptych train segmenter, which has no options of LSeg or SED; leave them out"
        )
      }
      kind = .small(try Segmenter(path: options.model))
    } else {
      let opened = try options.open()
      try settings.check(opened.architecture)
      kind = .words(opened)
    }
  }

  /// The model's name in results.
  var name: String {
    switch kind {
    case .small: "triptych"
    case .words(let opened): opened.architecture.rawValue
    }
  }

  /// What gives a picture's pixels one of some classes.
  ///
  /// - Parameters:
  ///   - classes: those that compete.
  ///   - rest: what is said for all the rest, id 0; nothing competes for it where nil.
  ///   - data: the data, for messages.
  /// - Returns: makes a picture's mask.
  /// - Throws: where the model cannot be read or knows none of the classes.
  func predictor(
    of classes: [ClassTable.Entry], rest: String?, data: String
  ) throws -> (PixelImage) throws -> LabelMask {
    switch kind {
    case .small(let segmenter):
      let known = segmenter.known(classes)
      guard !known.isEmpty else {
        throw GenerationError(
          .malformed, options.model, "knows none of the \(classes.count) classes of \(data)")
      }
      return { try segmenter.mask(of: $0, naming: known) }
    case .words(let opened):
      let list = try list(classes, rest: rest)
      let pictures = try PictureSegmenter(
        options.network(of: opened), labels: list, features: features(list, opened),
        settings: settings)
      return { try pictures($0).mask }
    }
  }

  /// What finds one class in a picture of an episode: 1 where it is, else 0.
  ///
  /// - Parameters:
  ///   - classes: those that episodes ask for.
  ///   - rest: what is said for all the rest.
  /// - Returns: makes the mask of a picture for a class.
  /// - Throws: where the model cannot be read or does not know a class.
  func episodePredictor(
    of classes: [ClassTable.Entry], rest: String
  ) throws -> (PixelImage, Int) throws -> LabelMask {
    let foreground = Int(FewShotTally.foreground)
    switch kind {
    case .small(let segmenter):
      let known = Dictionary(
        uniqueKeysWithValues: segmenter.known(classes).map { ($0.id, $0.name) })
      if let unknown = classes.first(where: { known[$0.id] == nil }) {
        throw GenerationError(
          .malformed, options.model,
          "does not know \"\(unknown.name)\", for which episodes ask")
      }
      return { picture, id in
        try segmenter.mask(of: picture, naming: [(known[id] ?? "", foreground)])
      }
    case .words(let opened):
      let all = try list(classes, rest: rest)
      let features = try features(all, opened)
      let network = try options.network(of: opened)
      var settings = settings
      // Pictures of episodes fill LSeg's square; SED has a size of its own.
      if opened.architecture == .lseg, settings.inputSide == nil, !settings.multiScale {
        settings.inputSide = FewShotBenchmark.side
      }
      let (count, templates, width) = features.dimensions3("features of labels")
      let flat = features.reshaped([count, templates * width])
      var segmenters: [Int: PictureSegmenter] = [:]
      for (place, entry) in classes.enumerated() {
        let pair = try LabelList(
          [
            LabelSource(name: rest, id: 0, place: "--background-label"),
            LabelSource(
              name: entry.name, words: all.labels[place + 1].words, id: foreground,
              place: "--protocol"),
          ], place: "--protocol")
        segmenters[entry.id] = try PictureSegmenter(
          network, labels: pair,
          features: gatheredRows(flat, [0, place + 1]).reshaped([2, templates, width]),
          settings: settings)
      }
      return { picture, id in
        guard let segmenter = segmenters[id] else { preconditionFailure("no class \(id)") }
        return try segmenter(picture).mask
      }
    }
  }

  /// The labels of classes, that of all the rest first.
  private func list(_ classes: [ClassTable.Entry], rest: String?) throws -> LabelList {
    let place = "the data's classes"
    // What --labels says of a class goes before its own name and aliases.
    let said = labels.labels.isEmpty ? [] : try labels.list().labels
    let words = Dictionary(
      said.map { ($0.name, $0.words) }, uniquingKeysWith: { first, _ in first })
    if let stranger = said.first(where: { label in
      label.name != rest && !classes.contains { $0.name == label.name }
    }) {
      throw GenerationError(
        .usage, "--labels",
        "\"\(stranger.name)\" is no class of the data; say NAME=word|word of classes that it has")
    }
    let others = rest.map { [LabelSource(name: $0, words: words[$0], id: 0, place: place)] } ?? []
    return try LabelList(
      others
        + classes.map { entry in
          // A list of synonyms may stand for a name; its first one is said.
          let first = ClassText.synonyms(entry.name)[0]
          return LabelSource(
            name: entry.name, words: words[entry.name] ?? [first] + entry.aliases,
            id: entry.id, place: place)
        }, place: place)
  }

  private func features(_ list: LabelList, _ opened: SegmenterModel) throws -> Tensor {
    let said = try LabelSpeech(labels, list, opened, path: options.model, runtime)
    let features = try said.features { _ in
      try Interruption.check("evaluate", leaving: "encoded texts stay, no figures were written")
    }
    for notice in features.notices { Console.note("triptych: \(Console.oneLine(notice))") }
    return features.tensor
  }
}

extension Segmenter {
  /// The classes that it knows, by name.
  func known(_ classes: [ClassTable.Entry]) -> [(name: String, id: Int)] {
    let names = Set(configuration.classes)
    return classes.filter { names.contains($0.name) }.map { ($0.name, $0.id) }
  }
}
