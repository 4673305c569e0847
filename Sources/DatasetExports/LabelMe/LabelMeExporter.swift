import CanonicalJSON
import DatasetFormat
import Imaging

/// Writes a JSON file beside each picture, with a mask an instance, as labelme reads and edits them.
///
/// - Source: labelme's reader of label files.
final class LabelMeExporter: DatasetExporter {
  private static let root = "labelme"
  /// labelme's own word for pixels that do not count.
  private static let ignoredLabel = "__ignore__"
  /// The version of labelme's files that have masks.
  private static let version = "5.4.1"

  private let plan: ExportPlan
  private let folder: ExportFolder

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {
    for split in plan.options.shares.used {
      try folder.makeDirectory("\(Self.root)/\(split.rawValue)")
    }
    let labels = [Self.ignoredLabel, "_background_"] + plan.categories.map(\.name)
    try folder.write(
      Array(labels.map { $0 + "\n" }.joined().utf8), at: "\(Self.root)/labels.txt")
  }

  func add(_ sample: ExportSample) throws {
    let format = plan.options.imageFormat
    let place = "\(Self.root)/\(sample.split.rawValue)/\(sample.name)"
    try folder.write(try sample.imageFile(format), at: "\(place).\(format.suffix)")
    var shapes = try sample.instances.instances.map { instance in
      try shape(
        plan.categories[instance.category - 1].name, group: .integer(Int64(instance.number)),
        number: UInt8(instance.number), box: instance.box, in: sample.instances)
    }
    if let box = sample.instances.ignoredBox {
      shapes.append(
        try shape(
          Self.ignoredLabel, group: .null, number: InstanceMap.void, box: box,
          in: sample.instances))
    }
    let json: JSONValue = [
      "version": .string(Self.version), "flags": [:], "shapes": .array(shapes),
      "imagePath": .string("\(sample.name).\(format.suffix)"), "imageData": .null,
      "imageHeight": .integer(Int64(sample.image.height)),
      "imageWidth": .integer(Int64(sample.image.width)),
      "prompt": .string(sample.record.prompt), "seed": .string(String(sample.record.seed)),
    ]
    try folder.write(Array((json.text + "\n").utf8), at: "\(place).json")
  }

  func finish() throws {}

  /// A mask inside its rectangle, whose corners are pixels of it.
  private func shape(
    _ label: String, group: JSONValue, number: UInt8, box: BoundingBox, in map: InstanceMap
  ) throws -> JSONValue {
    var values: [UInt8] = []
    values.reserveCapacity(box.width * box.height)
    for y in box.y..<box.y + box.height {
      for x in box.x..<box.x + box.width {
        values.append(map.numbers[y * map.width + x] == number ? 255 : 0)
      }
    }
    let crop = try PixelImage(
      width: box.width, height: box.height, channels: .grey, samples: values)
    func point(_ x: Int, _ y: Int) -> JSONValue { [.integer(Int64(x)), .integer(Int64(y))] }
    return [
      "label": .string(label),
      "points": [point(box.x, box.y), point(box.x + box.width - 1, box.y + box.height - 1)],
      "group_id": group, "description": "", "shape_type": "mask", "flags": [:],
      "mask": .string(Base64.text(try PNGCodec.encode(crop))),
    ]
  }

  var cardSection: String {
    """
    ### labelme

    `\(Self.root)/SPLIT/NAME.\(plan.options.imageFormat.suffix)` with `NAME.json`: a shape of type `mask` an instance,
    its number as `group_id`, exact; ignored pixels are a shape `\(Self.ignoredLabel)`. `prompt` and `seed` stand at the
    file's top level, where labelme keeps them. `labelme \(Self.root)/train --labels \(Self.root)/labels.txt` opens them.
    """
  }
}
