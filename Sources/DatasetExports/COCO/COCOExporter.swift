import CanonicalJSON
import DatasetFormat
import Imaging

/// Writes the layout of COCO 2017: `images/SPLIT/NAME.jpg` and, in `annotations/`, instances with runs and with
/// outlines, captions that hold the prompts, and panoptic segments.
///
/// - Source: the format page of COCO; what loaders need is checked against pycocotools and panopticapi.
final class COCOExporter: DatasetExporter {
  /// An annotation's id is its image's times this, plus the instance's number.
  static let annotationStride = 256

  private enum Kind: String, CaseIterable {
    case instances
    case polygons = "instances_polygons"
    case captions
    case panoptic

    func path(_ split: DatasetSplit) -> String {
      let name =
        switch self {
        case .polygons: "instances_\(split.rawValue)_polygons"
        case .instances, .captions, .panoptic: "\(rawValue)_\(split.rawValue)"
        }
      return "annotations/\(name)"
    }
  }

  private let plan: ExportPlan
  private let folder: ExportFolder
  private var documents: [DatasetSplit: [Kind: COCODocument]] = [:]
  private var annotationCount = 0
  private var unfaithfulCount = 0

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {
    try folder.makeDirectory("annotations")
    for split in plan.options.shares.used {
      try folder.makeDirectory("images/\(split.rawValue)")
      try folder.makeDirectory(Kind.panoptic.path(split))
      for kind in Kind.allCases {
        let file = try folder.open(kind.path(split) + ".json")
        documents[split, default: [:]][kind] = try COCODocument(file, head: head(kind))
      }
    }
  }

  func announce(_ record: SampleRecord, split: DatasetSplit) throws {
    let suffix = plan.options.imageFormat.suffix
    let image: JSONValue = [
      "id": .integer(Int64(ExportSample.imageID(of: record.index))),
      "width": .integer(Int64(record.width)), "height": .integer(Int64(record.height)),
      "file_name": .string("\(ExportSample.name(of: record.index)).\(suffix)"), "license": 1,
      "flickr_url": "", "coco_url": "", "date_captured": "", "prompt": .string(record.prompt),
    ]
    for kind in Kind.allCases { try document(kind, split).add(image: image) }
  }

  func add(_ sample: ExportSample) throws {
    let format = plan.options.imageFormat
    try folder.write(
      try sample.imageFile(format),
      at: "images/\(sample.split.rawValue)/\(sample.name).\(format.suffix)")
    try addInstances(sample)
    let imageID = ExportSample.imageID(of: sample.record.index)
    try document(.captions, sample.split).add(annotation: [
      "id": .integer(Int64(imageID)), "image_id": .integer(Int64(imageID)),
      "caption": .string(sample.record.prompt),
    ])
    try addSegments(sample, imageID: imageID)
  }

  func finish() throws {
    for split in plan.options.shares.used {
      for kind in Kind.allCases { try document(kind, split).finish() }
    }
  }

  private func document(_ kind: Kind, _ split: DatasetSplit) -> COCODocument {
    guard let document = documents[split]?[kind] else {
      preconditionFailure("no file for \(kind) of \(split)")
    }
    return document
  }

  private func addInstances(_ sample: ExportSample) throws {
    let map = sample.instances
    let imageID = ExportSample.imageID(of: sample.record.index)
    for (instance, runs) in zip(map.instances, map.encodings) {
      let id = imageID * Self.annotationStride + instance.number
      let encoded: JSONValue = [
        "size": [.integer(Int64(runs.height)), .integer(Int64(runs.width))],
        "counts": .string(runs.compressed),
      ]
      let exact = annotation(
        instance, id: id, imageID: imageID, segmentation: encoded, area: instance.area)
      try document(.instances, sample.split).add(annotation: exact)
      let outlines = map.outlines(of: instance)
      annotationCount += 1
      guard outlines.isFaithful else {
        unfaithfulCount += 1
        try document(.polygons, sample.split).add(annotation: exact)
        continue
      }
      let polygons = JSONValue.array(
        outlines.polygons.map { .array($0.map { .integer(Int64($0)) }) })
      try document(.polygons, sample.split).add(
        annotation: annotation(
          instance, id: id, imageID: imageID, segmentation: polygons, area: outlines.area))
    }
  }

  private func annotation(
    _ instance: InstanceMap.Instance, id: Int, imageID: Int, segmentation: JSONValue, area: Int
  ) -> JSONValue {
    [
      "id": .integer(Int64(id)), "image_id": .integer(Int64(imageID)),
      "category_id": .integer(Int64(instance.category)), "segmentation": segmentation,
      "area": .integer(Int64(area)), "bbox": Self.box(instance.box), "iscrowd": 0,
    ]
  }

  private func addSegments(_ sample: ExportSample, imageID: Int) throws {
    let picture = try PanopticPicture(sample.instances, colours: plan.categories.map(\.colour))
    let name = "\(sample.name).png"
    try folder.write(
      try PNGCodec.encode(picture.image), at: "\(Kind.panoptic.path(sample.split))/\(name)")
    var segments = zip(sample.instances.instances, picture.ids).map { instance, id in
      segment(id, category: instance.category, area: instance.area, box: instance.box)
    }
    if let (area, box) = sample.instances.background {
      segments.append(
        segment(picture.backgroundID, category: backgroundID, area: area, box: box))
    }
    try document(.panoptic, sample.split).add(annotation: [
      "image_id": .integer(Int64(imageID)), "file_name": .string(name),
      "segments_info": .array(segments),
    ])
  }

  private func segment(_ id: Int, category: Int, area: Int, box: BoundingBox) -> JSONValue {
    [
      "id": .integer(Int64(id)), "category_id": .integer(Int64(category)),
      "area": .integer(Int64(area)), "bbox": Self.box(box), "iscrowd": 0,
    ]
  }

  /// The panoptic files have the background as stuff: panopticapi's evaluation divides by the number of stuff
  /// categories it met, and fails where that is 0.
  private var backgroundID: Int { plan.categories.count + 1 }

  private var backgroundCategory: JSONValue {
    Self.category(
      backgroundID, plan.backgroundName, "background", isThing: false,
      PanopticPicture.backgroundColour)
  }

  private static func box(_ box: BoundingBox) -> JSONValue {
    .array([box.x, box.y, box.width, box.height].map { .integer(Int64($0)) })
  }

  private func head(_ kind: Kind) -> [JSONValue.Member] {
    var head: [JSONValue.Member] = [
      .init(
        "info",
        [
          "description": .string(DatasetCard.title(plan)), "url": "", "version": "1.0",
          "contributor": "triptych", "date_created": "",
        ]),
      .init("licenses", [["id": 1, "name": .string(plan.options.licence), "url": ""]]),
    ]
    switch kind {
    case .captions: break
    case .instances, .polygons:
      head.append(
        .init(
          "categories",
          .array(
            plan.categories.map {
              [
                "id": .integer(Int64($0.id)), "name": .string($0.name), "supercategory": "object",
              ]
            })))
    case .panoptic:
      let things = plan.categories.map {
        Self.category($0.id, $0.name, "object", isThing: true, $0.colour)
      }
      head.append(.init("categories", .array(things + [backgroundCategory])))
    }
    return head
  }

  private static func category(
    _ id: Int, _ name: String, _ supercategory: String, isThing: Bool, _ colour: Colour
  ) -> JSONValue {
    [
      "id": .integer(Int64(id)), "name": .string(name), "supercategory": .string(supercategory),
      "isthing": isThing ? 1 : 0,
      "color": .array([colour.red, colour.green, colour.blue].map { .integer(Int64($0)) }),
    ]
  }

  var cardSection: String {
    """
    ### COCO

    `images/SPLIT/NAME.\(plan.options.imageFormat.suffix)` with, in `annotations/`:

    - `instances_SPLIT.json`: every region exactly, as runs (`size` is height, width). detectron2 reads it with
      `INPUT.MASK_FORMAT = "bitmask"`.
    - `instances_SPLIT_polygons.json`: the same annotations as outlines along pixel edges. An outline cannot hold a
      hole, so holes are filled; where that would change more than \(Self.tolerance) of an instance it stays as runs:
      \(unfaithfulCount) of \(annotationCount) here. `area` is that of the outline.
    - `captions_SPLIT.json`: the prompts.
    - `panoptic_SPLIT.json` and `panoptic_SPLIT/NAME.png`: segments. The classes are things; the background is stuff,
      with the category \(backgroundID), which no other file has. Ignored pixels are void.

    An image's id is its number in the run plus 1; an annotation's is its image's times \(Self.annotationStride) plus
    the instance's number in the picture. Neither depends on the splits. `iscrowd` is 0 throughout.
    """
  }

  private static var tolerance: String {
    "\(((1 - PolygonTracing.leastAgreement) * 1000).rounded() / 10) %"
  }
}
