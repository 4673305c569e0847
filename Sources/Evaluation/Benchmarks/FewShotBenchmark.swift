import Checkpoints
public import DatasetFormat
import Generation
import Imaging
import TensorCore

/// The test episodes of a few-shot data set in its published folders, with no example shown: a picture and one class each.
///
/// Pictures and masks are brought to 480 x 480, proportions not kept. Folds of PASCAL-5i are five classes in a row, those
/// of COCO-20i every fourth class.
///
/// - Source: `juhongm999/hsnet` `data/` and `isl-org/lang-seg` `fewshot_data/`.
public struct FewShotBenchmark {
  /// The side of pictures and masks.
  public static let side = 480
  /// The folds of PASCAL-5i and COCO-20i.
  public static let folds = 0...3
  /// How many episodes a fold has.
  static let episodeCount = 1000

  /// A picture and the class that is asked for in it.
  public struct Episode: Sendable, Hashable {
    /// The picture's name, as files of predictions are called; classes of FSS-1000 stand in front, with `__`.
    public var name: String
    /// The class.
    public var classID: Int
    /// The picture's file, its end left out.
    var image: String
    /// The mask's file.
    var mask: String
  }

  /// The protocol.
  public let benchmark: BenchmarkProtocol
  /// The fold; 0 where there are none.
  public let fold: Int
  /// The data set's folder.
  public let path: String
  /// All classes of the data set; those of the fold are tested.
  public let classes: ClassTable
  /// The ids of the classes that are tested.
  public let tested: [Int]
  /// The episodes, in order; some stand more than once.
  public let episodes: [Episode]
  /// How the episodes were found, in words.
  public let origin: String

  /// Finds the episodes.
  ///
  /// - Parameters:
  ///   - benchmark: a few-shot protocol.
  ///   - path: the data set's folder, or the one above.
  ///   - fold: the fold, 0 to 3; FSS-1000 has none.
  ///   - list: the published list of the fold's pictures, of `NAME__CLASS` lines for PASCAL-5i, a pickle for COCO-20i, of
  ///     names of classes for FSS-1000; nil to make it from the masks.
  /// - Throws: `GenerationError`, `DatasetError`, `CheckpointError` or `ImagingError` where something is not there or not
  ///   whole.
  public init(
    _ benchmark: BenchmarkProtocol, path: String, fold: Int = 0, list: String? = nil
  ) throws {
    precondition(benchmark.isFewShot && Self.folds ~= fold, "\(benchmark.rawValue), fold \(fold)")
    (self.benchmark, self.fold) = (benchmark, fold)
    let found: Found
    switch benchmark {
    case .pascal5i: found = try Self.pascal(path, fold, list)
    case .coco20i: found = try Self.coco(path, fold, list)
    default: found = try Self.fss(path, list)
    }
    (self.path, classes, tested) = (found.path, found.classes, found.tested)
    (episodes, origin) = (found.episodes, found.origin)
  }

  private struct Found {
    var path: String
    var classes: ClassTable
    var tested: [Int]
    var episodes: [Episode]
    var origin: String
  }

  // MARK: PASCAL-5i

  private static func pascal(_ path: String, _ fold: Int, _ list: String?) throws -> Found {
    let masks = "SegmentationClassAug"
    let folder = try BenchmarkFolder(
      path, roots: ["VOC2012", "VOCdevkit/VOC2012"], holding: [masks], name: "pascal-5i")
    let classes = try BenchmarkClasses.table(of: .pascal5i, file: nil)
    let tested = Array(5 * fold + 1...5 * fold + 5)
    func episode(_ name: String, _ id: Int) -> Episode {
      Episode(
        name: name, classID: id, image: "\(folder.path)/JPEGImages/\(name)",
        mask: "\(folder.path)/\(masks)/\(name).png")
    }
    let items: [Episode]
    let origin: String
    if let list {
      items = try BenchmarkFolder.list(list).map { line in
        let (name, id) = try parted(line, of: list, tested: tested)
        return episode(name, id)
      }
      origin = "the pictures of \(list)"
    } else {
      let names = try BenchmarkFolder.list("\(folder.path)/ImageSets/Segmentation/val.txt")
      let shown = try Parallel.map(names.count) { place in
        Set(try ImageFile.readMask(episode(names[place], 0).mask).ids)
      }
      items = zip(names, shown).flatMap { name, ids in
        tested.filter { ids.contains(UInt16($0)) }.map { episode(name, $0) }
      }
      origin =
        "the pictures of val.txt whose masks show a class, not the published list (--episodes)"
    }
    guard !items.isEmpty else { throw nothing(path, tested) }
    return Found(
      path: folder.path, classes: classes, tested: tested,
      episodes: (0..<episodeCount).map { items[$0 % items.count] }, origin: origin)
  }

  private static func parted(
    _ line: String, of list: String, tested: [Int]
  ) throws -> (String, Int) {
    guard let mark = line.firstRange(of: "__"), let id = Int(line[mark.upperBound...]),
      tested.contains(id)
    else {
      throw GenerationError(
        .malformed, list,
        "\"\(line)\" is no NAME__CLASS of the fold's classes \(tested[0]) to "
          + "\(tested[tested.count - 1])")
    }
    return (String(line[..<mark.lowerBound]), id)
  }

  private static func nothing(_ path: String, _ tested: [Int]) -> GenerationError {
    GenerationError(
      .malformed, path, "none of its masks shows one of the fold's \(tested.count) classes")
  }

  // MARK: COCO-20i

  private static func coco(_ path: String, _ fold: Int, _ list: String?) throws -> Found {
    let masks = "annotations/val2014"
    let folder = try BenchmarkFolder(
      path, roots: ["COCO2014"], holding: [masks], name: "coco-20i")
    let classes = try BenchmarkClasses.table(of: .coco20i, file: nil)
    let tested = (0..<20).map { fold + 4 * $0 + 1 }
    let pictures: [Int: [String]]
    let origin: String
    if let list {
      let lists = try PickledLists.read(
        FileAccess.bytes(of: list, limit: 64 << 20), path: list)
      // The pickle counts classes from 0.
      pictures = Dictionary(uniqueKeysWithValues: lists.map { ($0.key + 1, $0.value) })
      origin = "drawn from \(list) as published"
    } else {
      pictures = try Self.shown(MaskFolder("\(folder.path)/\(masks)"), tested)
      origin =
        "drawn as published, from the masks in order of names and not the published lists (--episodes)"
    }
    for id in tested where pictures[id]?.isEmpty ?? true {
      throw GenerationError(
        .malformed, list ?? folder.path,
        "no picture shows the class \(id) of fold \(fold); the draw needs each")
    }
    var draw = MersenneTwister(seed: 0)
    let episodes = try (0..<episodeCount).map { _ in
      let id = tested[draw.choice(of: tested.count)]
      let names = pictures[id] ?? []
      let file = names[draw.choice(of: names.count)]
      guard !file.hasPrefix("/"), !file.split(separator: "/").contains("..") else {
        throw GenerationError(
          .malformed, list ?? folder.path, "\"\(file)\" leads out of the data set")
      }
      let stem = file.hasSuffix(".jpg") ? String(file.dropLast(4)) : file
      return Episode(
        name: MaskFolder.stem(of: file), classID: id, image: "\(folder.path)/\(stem)",
        mask: "\(folder.path)/annotations/\(stem).png")
    }
    return Found(
      path: folder.path, classes: classes, tested: tested, episodes: episodes, origin: origin)
  }

  /// The pictures whose masks show each class, in order of names, as the published lists write them.
  private static func shown(_ masks: MaskFolder, _ tested: [Int]) throws -> [Int: [String]] {
    let found = try Parallel.map(masks.names.count) { place -> Set<UInt16> in
      Set(try masks.mask(masks.names[place]).ids)
    }
    var pictures: [Int: [String]] = [:]
    for (name, ids) in zip(masks.names, found) {
      for id in tested where ids.contains(UInt16(id)) {
        pictures[id, default: []].append("val2014/\(name).jpg")
      }
    }
    return pictures
  }

  // MARK: FSS-1000

  private static func fss(_ path: String, _ list: String?) throws -> Found {
    let inside = "\(path)/FSS-1000"
    let folder = FileAccess.isFolder(inside) ? inside : path
    let there = try FileAccess.list(folder).filter { FileAccess.isFolder("\(folder)/\($0)") }
    let names = try list.map { try BenchmarkFolder.list($0).sorted() } ?? there
    if let missing = names.first(where: { !there.contains($0) }) {
      throw GenerationError(
        .missingInput, "\(folder)/\(missing)", "is not there, though \(list ?? "") names it")
    }
    let classes = try ClassTable(
      names.enumerated().map { ClassTable.Entry(id: $0 + 1, name: $1) }, path: list ?? folder)
    let episodes = try names.enumerated().flatMap { place, name in
      try FileAccess.list("\(folder)/\(name)").filter { $0.hasSuffix(".jpg") }.map { file in
        let stem = MaskFolder.stem(of: file)
        return Episode(
          name: "\(name)__\(stem)", classID: place + 1, image: "\(folder)/\(name)/\(stem)",
          mask: "\(folder)/\(name)/\(stem).png")
      }
    }
    guard !episodes.isEmpty else {
      throw GenerationError(
        .malformed, folder, "holds no CLASS/N.jpg; expected the folders of FSS-1000")
    }
    return Found(
      path: folder, classes: classes, tested: classes.entries.map(\.id), episodes: episodes,
      origin: list.map { "the classes of \($0)" }
        ?? "all \(names.count) classes that are there, not the published 240 (--episodes)")
  }
}
