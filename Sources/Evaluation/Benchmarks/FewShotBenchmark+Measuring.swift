import Generation
public import Imaging
import TensorCore

extension FewShotBenchmark {
  private static let batchOfThread = 4

  /// Measures masks in files, brought to 480 x 480.
  ///
  /// Their names are `NAME__CLASS` with two digits, in which all but 0 is the class, or `NAME` with ids of classes; for
  /// FSS-1000 `CLASS__N`.
  ///
  /// - Parameters:
  ///   - predicted: the masks.
  ///   - watch: told how many episodes are done; throwing ends the work.
  /// - Returns: what was counted.
  /// - Throws: what `watch` throws, `GenerationError` `missingInput` where a mask is missing, `ImagingError`.
  public func tally(
    _ predicted: MaskFolder, watch: (Int) throws -> Void
  ) throws -> FewShotTally {
    for episode in episodes where file(of: episode, in: predicted) == nil {
      throw GenerationError(
        .missingInput, predicted.file(of: ownName(of: episode)),
        "is not there; episodes need a mask each, "
          + (benchmark == .fss1000
            ? "named CLASS__N" : "named NAME__CLASS, or NAME for all classes"))
    }
    var tally = FewShotTally(classes: tested)
    let batch = Self.batchOfThread * Parallel.threadCount
    let all = distinct
    var done = 0
    for start in stride(from: 0, to: all.count, by: batch) {
      try watch(done)
      let part = all[start..<min(start + batch, all.count)]
      let parts = try Parallel.map(part.count) { place in
        let episode = part[part.startIndex + place].episode
        guard let (name, isOwn) = file(of: episode, in: predicted) else {
          preconditionFailure("the mask of \(episode.name) is gone")
        }
        let mask = try predicted.mask(name).resizedAsTorch(side: Self.side)
        let found = mask.relabelled { id in
          let isClass = isOwn ? id != LabelMask.background : Int(id) == episode.classID
          return isClass ? FewShotTally.foreground : LabelMask.background
        }
        var tally = FewShotTally(classes: tested)
        tally.add(truth: try truth(of: episode), prediction: found, of: episode.classID)
        return tally
      }
      for (one, (_, times)) in zip(parts, part) {
        tally.add(one, times: times)
        done += times
      }
    }
    try watch(episodes.count)
    return tally
  }

  /// Each different episode, in the order of its first, and how often it stands: what is asked twice is looked at once.
  private var distinct: [(episode: Episode, times: Int)] {
    var places: [Episode: Int] = [:]
    var found: [(episode: Episode, times: Int)] = []
    for episode in episodes {
      if let place = places[episode] {
        found[place].times += 1
      } else {
        places[episode] = found.count
        found.append((episode, 1))
      }
    }
    return found
  }

  /// Measures what a segmenter makes of the pictures.
  ///
  /// - Parameters:
  ///   - predict: makes the mask of a picture of 480 x 480, id 1 where the class of this id is.
  ///   - keep: told each mask with the name that its file would have.
  ///   - watch: told how many episodes are done; throwing ends the work.
  /// - Returns: what was counted.
  /// - Throws: what the closures throw, `GenerationError`, `ImagingError`.
  public func tally(
    predict: (PixelImage, Int) throws -> LabelMask, keep: (String, LabelMask) throws -> Void,
    watch: (Int) throws -> Void
  ) throws -> FewShotTally {
    var tally = FewShotTally(classes: tested)
    var done = 0
    for (episode, times) in distinct {
      try watch(done)
      // The published code resizes by Pillow before anything else.
      let picture = try BenchmarkFolder.picture(episode.image)
        .smoothlyResized(width: Self.side, height: Self.side)
      let mask = try predict(picture, episode.classID)
      try keep(ownName(of: episode), mask)
      var one = FewShotTally(classes: tested)
      one.add(truth: try truth(of: episode), prediction: mask, of: episode.classID)
      tally.add(one, times: times)
      done += times
    }
    try watch(episodes.count)
    return tally
  }

  private func ownName(of episode: Episode) -> String {
    guard benchmark != .fss1000 else { return episode.name }
    let id = String(episode.classID)
    return "\(episode.name)__\(id.count == 1 ? "0" : "")\(id)"
  }

  private func file(
    of episode: Episode, in predicted: MaskFolder
  ) -> (name: String, isOwn: Bool)? {
    let own = ownName(of: episode)
    if predicted.contains(own) { return (own, true) }
    return predicted.contains(episode.name) ? (episode.name, false) : nil
  }

  /// The class's pixels as 1, all others as 0; ignored pixels where the protocol has them.
  func truth(of episode: Episode) throws -> LabelMask {
    switch benchmark {
    case .fss1000:
      // Grey as Pillow makes it of colours, which are black and white here.
      let picture = try ImageFile.read(episode.mask)
      let mask = try LabelMask(
        width: picture.width, height: picture.height,
        ids: (0..<picture.width * picture.height).map { place in
          let samples = picture.samples[3 * place..<3 * place + 3].map(Int.init)
          let grey = zip(samples, [19595, 38470, 7471]).reduce(0x8000) { $0 + $1.0 * $1.1 } >> 16
          return grey < 128 ? LabelMask.background : FewShotTally.foreground
        })
      return try mask.resizedAsTorch(side: Self.side)
    default:
      let mask = try ImageFile.readMask(episode.mask)
      let keepsIgnored = benchmark == .pascal5i
      return try mask.resizedAsTorch(side: Self.side).relabelled { id in
        if id == LabelMask.ignored && keepsIgnored { return id }
        return Int(id) == episode.classID ? FewShotTally.foreground : LabelMask.background
      }
    }
  }
}

extension LabelMask {
  /// The mask as a square, each new pixel being the one that PyTorch's `interpolate` with mode `nearest` takes: the place
  /// times the ratio of sides in single precision, rounded down.
  package func resizedAsTorch(side: Int) throws -> LabelMask {
    func places(_ length: Int) -> [Int] {
      let ratio = Float(length) / Float(side)
      return (0..<side).map { min(Int((Float($0) * ratio).rounded(.down)), length - 1) }
    }
    guard width != side || height != side else { return self }
    let columns = places(width)
    return try LabelMask(
      width: side, height: side,
      ids: places(height).flatMap { row in columns.map { ids[row * width + $0] } })
  }
}
