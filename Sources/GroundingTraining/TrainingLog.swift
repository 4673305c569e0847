import CanonicalJSON
import DatasetFormat

/// What happened at each step: train.jsonl, a line a step.
///
/// Losses and times are for people; what was shown and asked for is the proof of what a training has seen, so the log is
/// on disk before the state that it led to.
struct TrainingLog {
  /// One step.
  struct Line {
    /// The step, from 1.
    var step: Int
    var loss: Float
    var imagesPerSecond: Double
    var learningRate: Double
    var gradientNorm: Double
    /// The class ids that the step's pictures show, once a picture.
    var shown: [Int]
    /// The class ids that were asked for in vain, once a picture.
    var absent: [Int]
    /// How many of the latter the prompt named.
    var namedAbsent: Int
    /// Pictures in which something of an unseen class was: never any.
    var unseen: Int

    var json: JSONValue {
      func list(_ ids: [Int]) -> JSONValue { .array(ids.map { .integer(Int64($0)) }) }
      return [
        "step": .integer(Int64(step)), "loss": .number(Double(loss)),
        "images_per_second": .number((imagesPerSecond * 100).rounded() / 100),
        "learning_rate": .number(learningRate), "gradient_norm": .number(gradientNorm),
        "shown": list(shown), "absent": list(absent),
        "named_absent": .integer(Int64(namedAbsent)), "unseen": .integer(Int64(unseen)),
      ]
    }
  }

  /// What all steps together have seen.
  struct Tally {
    var steps = 0
    var shown: [Int: Int] = [:]
    var absent: [Int: Int] = [:]
    var unseen = 0

    mutating func add(_ line: Line) {
      steps = line.step
      unseen += line.unseen
      for id in line.shown { shown[id, default: 0] += 1 }
      for id in line.absent { absent[id, default: 0] += 1 }
    }
  }

  static let file = "train.jsonl"
  private static let newFile = file + TrainingFolder.newSuffix
  private static let sizeLimit = 4 << 30

  private let files: any FileSystem
  private let descriptor: Int32
  private(set) var tally: Tally

  /// Goes on with the log of a training of which some steps are saved; later lines are removed.
  ///
  /// - Throws: `DatasetError` where a line of those steps is not there, or the disk fails.
  init(_ files: any FileSystem, steps: Int) throws {
    self.files = files
    let (lines, tally) = try Self.read(files, steps: steps)
    self.tally = tally
    descriptor = try files.createFile(Self.newFile)
    try files.write(lines, to: descriptor, path: Self.file)
    try files.synchronize(descriptor, path: Self.file)
    try files.rename(Self.newFile, to: Self.file)
  }

  /// Adds a step.
  mutating func add(_ line: Line) throws {
    tally.add(line)
    try files.write(
      Array((line.json.text + "\n").utf8), to: descriptor, path: Self.file)
  }

  /// Brings all lines to the disk.
  func synchronize() throws { try files.synchronize(descriptor, path: Self.file) }

  /// Closes the file.
  func close() throws { try files.close(descriptor, path: Self.file) }

  /// The first lines as they are, and what they say.
  static func read(_ files: any FileSystem, steps: Int) throws -> (lines: [UInt8], tally: Tally) {
    var tally = Tally()
    guard steps > 0 else { return ([], tally) }
    let bytes = try files.read(file, limit: sizeLimit)
    var end = 0
    while tally.steps < steps {
      let start = end
      let next = tally.steps + 1
      func fault(_ found: String) -> DatasetError {
        DatasetError(
          .malformed, path: "\(files.shown(file)), line \(next)",
          "\(found), expected what step \(next) of the \(steps) that are saved has seen; the log is damaged, so it "
            + "proves nothing: begin anew in another folder")
      }
      guard let lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
        throw fault("the file ends")
      }
      end = lineEnd + 1
      let line: JSONValue
      do {
        line = try JSONValue.parse(Array(bytes[start..<lineEnd]))
      } catch {
        throw fault("found no JSON (\(error))")
      }
      guard line["step"]?.integer == next, let shown = ids(line["shown"]),
        let absent = ids(line["absent"]), let unseen = line["unseen"]?.integer, unseen >= 0
      else { throw fault("found another line") }
      tally.steps = next
      tally.unseen += unseen
      for id in shown { tally.shown[id, default: 0] += 1 }
      for id in absent { tally.absent[id, default: 0] += 1 }
    }
    return (Array(bytes[..<end]), tally)
  }

  private static func ids(_ value: JSONValue?) -> [Int]? {
    guard let elements = value?.elements else { return nil }
    let ids = elements.compactMap(\.integer)
    return ids.count == elements.count ? ids : nil
  }
}
