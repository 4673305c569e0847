import CanonicalJSON
public import DatasetExports
public import DatasetFormat
import Generation

/// A detector's masks of a run's pictures, from a COCO file.
public struct InstanceAnnotations: Sendable {
  /// Which of a class's instances in a picture are its mask.
  public enum Target: String, Sendable, CaseIterable {
    /// The one with the highest score, as published.
    case best
    /// All of them together.
    case union
  }

  private let pixels: [Int: [Int: RunLengthEncoding]]
  private let digest: String
  private let target: Target
  private let scoreCut: Double

  /// Reads a file's instances of a run's samples.
  ///
  /// A picture of the file is the sample whose number its file's name is (`000000012.png`); instances of other pictures
  /// are an error, samples without instances are not. Instances that mark a crowd, and those whose score is below the
  /// cut, do not count; one without a score counts as certain.
  ///
  /// - Parameters:
  ///   - file: the file.
  ///   - digest: its SHA-256.
  ///   - run: the run.
  ///   - classes: the classes, which categories are by name or alias.
  ///   - target: what is learnt of several instances.
  ///   - scoreCut: the lowest score that counts.
  /// - Throws: `GenerationError` naming the first entry that is broken, of another size, of an unknown class, or empty.
  public init(
    _ file: COCOAnnotationFile, digest: String, run: RunContents, classes: TrainingClasses,
    target: Target, scoreCut: Double
  ) throws {
    (self.digest, self.target, self.scoreCut) = (digest, target, scoreCut)
    if let fault = file.faults.first {
      throw GenerationError(.malformed, fault.place, fault.problem)
    }
    let ids = Self.classIDs(classes)
    let categories = Dictionary(uniqueKeysWithValues: file.categories.map { ($0.id, $0.name) })
    let sizes = try Self.sizes(of: run)
    var pixels: [Int: [Int: RunLengthEncoding]] = [:]
    for image in file.images {
      let index = try Self.sample(of: image, sizes, file.path)
      var found: [Int: [(score: Double, encoding: RunLengthEncoding)]] = [:]
      for region in file.regions(of: image) where !region.isCrowd {
        let place = "\(file.path), \(region.name)"
        let category = categories[region.categoryID] ?? ""
        guard let id = ids[category] else {
          throw GenerationError(
            .malformed, place,
            "is of the class \"\(category)\", which the training does not have; add it to --classes, as seen or unseen"
          )
        }
        let read = file.pixels(of: region, in: image)
        guard let encoding = read.encoding, read.problems.isEmpty else {
          throw GenerationError(
            .malformed, place, read.problems.first ?? "has an empty mask; remove the entry")
        }
        let score = region.score ?? 1
        if score >= scoreCut { found[id, default: []].append((score, encoding)) }
      }
      pixels[index] = try found.mapValues { try Self.mask(of: $0, target) }
    }
    self.pixels = pixels
  }

  var json: JSONValue {
    [
      "sha256": .string(digest), "target": .string(target.rawValue), "score_cut": .number(scoreCut),
    ]
  }

  /// The classes that a sample shows, ascending.
  package func classes(of index: Int) -> [Int] { (pixels[index] ?? [:]).keys.sorted() }

  /// A plane of 0 and 255 for each class of a sample.
  package func planes(of index: Int) -> [Int: [UInt8]] {
    (pixels[index] ?? [:]).mapValues { $0.pixels.map { $0 ? 255 : 0 } }
  }

  private static func mask(
    of instances: [(score: Double, encoding: RunLengthEncoding)], _ target: Target
  ) throws -> RunLengthEncoding {
    switch target {
    case .union: return RunLengthEncoding(union: instances.map(\.encoding))
    case .best:
      return instances.dropFirst().reduce(instances[0]) { $1.score > $0.score ? $1 : $0 }.encoding
    }
  }

  private static func classIDs(_ classes: TrainingClasses) -> [String: Int] {
    var ids: [String: Int] = [:]
    for (id, named) in classes.all { for alias in named.aliases { ids[alias] = id } }
    for (id, named) in classes.all { ids[named.name] = id }
    return ids
  }

  private static func sizes(of run: RunContents) throws -> [Int: (width: Int, height: Int)] {
    var sizes: [Int: (width: Int, height: Int)] = [:]
    try run.forEachSample { sizes[$0.record.index] = ($0.record.width, $0.record.height) }
    return sizes
  }

  private static func sample(
    of image: COCOImage, _ sizes: [Int: (width: Int, height: Int)], _ path: String
  ) throws -> Int {
    let name = image.fileName.split(separator: "/").last ?? ""
    let place = "\(path), image \(image.id)"
    guard let index = Int(name.prefix { $0 != "." }), let size = sizes[index] else {
      throw GenerationError(
        .malformed, place,
        "its file_name is \"\(image.fileName.prefix(60))\", expected the number of a sample of the run, such as "
          + "000000012.png")
    }
    guard size == (image.width, image.height) else {
      throw GenerationError(
        .malformed, place,
        "is \(image.width) x \(image.height) pixels, sample \(index) is \(size.width) x \(size.height)"
      )
    }
    return index
  }
}
