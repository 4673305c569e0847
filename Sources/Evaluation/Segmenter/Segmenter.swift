import CanonicalJSON
import Checkpoints
public import DatasetFormat
public import Imaging
import TensorCore

/// A small network that was trained on composed scenes to find their classes: an oracle for pictures that a model makes.
public struct Segmenter: Sendable {
  /// The file, for messages.
  public let path: String
  /// Its shape, and its own figure.
  public let configuration: SegmenterConfiguration
  private let network: SegmenterNetwork
  private let places: [String: Int]

  /// Loads a segmenter.
  ///
  /// - Throws: `CheckpointError` where the file is none, or a tensor is missing, misshapen or left over.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    let configuration = try SegmenterConfiguration(metadata: file.metadata, file: path)
    try self.init(WeightScope(file), configuration, path: path)
  }

  /// Whether a file is a segmenter that was trained here, rather than one of others.
  ///
  /// - Throws: `CheckpointError` where it cannot be read.
  public static func wrote(_ path: String) throws -> Bool {
    guard path.hasSuffix(".safetensors") else { return false }
    return try SafetensorsFile(path: path).metadata[SegmenterConfiguration.metadataKey] != nil
  }

  init(_ weights: WeightScope, _ configuration: SegmenterConfiguration, path: String) throws {
    self.path = path
    self.configuration = configuration
    network = try SegmenterNetwork(weights, configuration)
    places = Dictionary(
      uniqueKeysWithValues: configuration.classes.enumerated().map { ($1, $0 + 1) })
  }

  /// Writes a segmenter's file.
  ///
  /// - Throws: `CheckpointError` where it cannot be written.
  static func write(
    _ tensors: [String: Tensor], _ configuration: SegmenterConfiguration, to path: String
  ) throws {
    var writer = SafetensorsWriter(
      metadata: [SegmenterConfiguration.metadataKey: configuration.json.canonicalText])
    for (key, tensor) in tensors { writer.add(key, tensor) }
    try writer.write(to: path)
  }

  /// The ids of the classes of a table that it knows, by name.
  public func ids(in table: ClassTable) -> Set<Int> {
    Set(table.entries.filter { places[$0.name] != nil }.map(\.id))
  }

  /// Finds classes in a picture; those that are not named do not compete.
  ///
  /// - Parameters:
  ///   - picture: of any size; it is looked at in the size of training.
  ///   - classes: what to look for, by name, and the id that each gets in the mask.
  /// - Returns: the mask, at the picture's size.
  /// - Throws: `ImagingError` where the size is out of a picture's range.
  /// - Precondition: it knows the classes.
  public func mask(
    of picture: PixelImage, naming classes: [(name: String, id: Int)]
  ) throws -> LabelMask {
    try labels(of: picture, naming: classes).mask
  }

  /// The same, with the mean probability of each class over its pixels.
  public func labels(
    of picture: PixelImage, naming classes: [(name: String, id: Int)]
  ) throws -> (mask: LabelMask, scores: [Int: Double]) {
    let columns = classes.map { one in
      guard let place = places[one.name] else {
        preconditionFailure("the segmenter does not know \(one.name)")
      }
      return place
    }
    let probabilities = probabilities(of: try fitted(picture), columns: [0] + columns)
    let whole = bilinearResized(probabilities, height: picture.height, width: picture.width)
    let ids = [LabelMask.background] + classes.map { UInt16($0.id) }
    var labels: [UInt16] = []
    labels.reserveCapacity(picture.width * picture.height)
    var sums: [UInt16: (sum: Double, count: Int)] = [:]
    whole.withUnsafeBuffer { values in
      for start in stride(from: 0, to: values.count, by: ids.count) {
        var best = 0
        for column in 1..<ids.count where values[start + column] > values[start + best] {
          best = column
        }
        labels.append(ids[best])
        sums[ids[best], default: (0, 0)].sum += Double(values[start + best])
        sums[ids[best], default: (0, 0)].count += 1
      }
    }
    return (
      try LabelMask(width: picture.width, height: picture.height, ids: labels),
      Dictionary(
        uniqueKeysWithValues: sums.map { (Int($0.key), $0.value.sum / Double($0.value.count)) })
    )
  }

  /// The picture in the size of training: its shorter side as long as there, both sides multiples of 16.
  private func fitted(_ picture: PixelImage) throws -> PixelImage {
    let shorter = Double(min(picture.width, picture.height))
    func side(_ length: Int) -> Int {
      let fitted = Double(length) / shorter * Double(configuration.side)
      return max(16, Int((fitted / 16).rounded()) * 16)
    }
    let (width, height) = (side(picture.width), side(picture.height))
    guard width != picture.width || height != picture.height else { return picture.rgb }
    return try picture.rgb.resized(
      width: width, height: height, method: width < picture.width ? .area : .bilinear)
  }

  /// The probabilities of some classes among themselves [1, h, w, columns].
  private func probabilities(of picture: PixelImage, columns: [Int]) -> Tensor {
    let logits = network(Self.values(of: [picture]))
    let (_, h, w, classCount) = logits.dimensions4("segmenter")
    let chosen = logits.withUnsafeBuffer { values in
      Tensor(shape: [1, h, w, columns.count]) { out in
        for pixel in 0..<h * w {
          for (place, column) in columns.enumerated() {
            out[pixel * columns.count + place] = values[pixel * classCount + column]
          }
        }
      }
    }
    return softmax(chosen)
  }

  /// Pictures of one size as the network takes them [N, H, W, 3], in −1...1.
  static func values(of pictures: [PixelImage]) -> Tensor {
    let (height, width) = (pictures[0].height, pictures[0].width)
    return Tensor(
      pictures.flatMap { $0.samples.map { Float($0) / 127.5 - 1 } },
      shape: [pictures.count, height, width, 3])
  }
}
