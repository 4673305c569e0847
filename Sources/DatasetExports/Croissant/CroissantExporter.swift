import CanonicalJSON
import DatasetFormat

/// Writes `croissant.json`: what the Parquet files hold, in MLCommons' vocabulary.
///
/// - Source: the Croissant format specification 1.1.
final class CroissantExporter: DatasetExporter {
  private static let name = "croissant.json"
  private static let files = "parquet-files"

  private let plan: ExportPlan
  private let folder: ExportFolder

  init(_ plan: ExportPlan, _ folder: ExportFolder) {
    self.plan = plan
    self.folder = folder
  }

  func begin() throws {}

  func add(_ sample: ExportSample) throws {}

  /// Behind the Parquet files, whose hashes it states.
  func finish() throws {
    try folder.write(Array(document.canonicalText.utf8), at: Self.name)
  }

  var notes: [String] {
    ["croissant.json says no url, creator or datePublished; add them when the set is published"]
  }

  private var document: JSONValue {
    [
      "@context": CroissantVocabulary.context, "@type": "sc:Dataset",
      "conformsTo": "http://mlcommons.org/croissant/1.1",
      "name": .string(DatasetCard.title(plan)),
      "description":
        "Pictures with a mask, instances and a prompt each. README.md says where they come from.",
      "license": .string(plan.options.licence), "version": "1.0.0",
      "keywords": ["segmentation", "instances", "prompts"],
      "rai:dataCollection":
        "README.md says where pictures and masks come from; run.json holds the settings.",
      "rai:dataAnnotationProtocol":
        "See the first section of README.md.",
      "rai:dataLimitations": "See the section on known limits in README.md.",
      "distribution": .array(objects + [fileSet]), "recordSet": [splits, samples],
    ]
  }

  /// Each file with its hash.
  private var objects: [JSONValue] {
    folder.manifest.files(below: ParquetExporter.root + "/").map { file in
      [
        "@type": "cr:FileObject", "@id": .string(file.path), "name": .string(file.path),
        "contentUrl": .string(file.path), "contentSize": .string("\(file.size) B"),
        "encodingFormat": "application/x-parquet", "sha256": .string(file.sha256),
      ]
    }
  }

  private var fileSet: JSONValue {
    [
      "@type": "cr:FileSet", "@id": .string(Self.files), "name": .string(Self.files),
      "encodingFormat": "application/x-parquet",
      "includes": .string("\(ParquetExporter.root)/*.parquet"),
    ]
  }

  private var splits: JSONValue {
    [
      "@type": "cr:RecordSet", "@id": "splits", "name": "splits", "dataType": "cr:Split",
      "key": ["@id": "splits/name"],
      "field": [
        ["@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"]
      ],
      "data": .array(plan.filledSplits.map { ["splits/name": .string($0.hubName)] }),
    ]
  }

  private var samples: JSONValue {
    let pictures = [
      ("image", "The picture."),
      (
        "mask",
        "A class a pixel: 0 background, 1 upward the lines of classes.txt, the highest value ignored."
      ), ("instances", "The number of an instance a pixel: 0 background, 255 ignored."),
    ]
    let texts = [
      ("name", "The sample's name."), ("prompt", "The words the picture was made from."),
      ("seed", "The seed it was made from."),
    ]
    return [
      "@type": "cr:RecordSet", "@id": "samples", "name": "samples",
      "description": "A record a picture.", "key": ["@id": "samples/name"],
      "field": .array(
        [split]
          + pictures.map { field($0, $1, type: "sc:ImageObject", transform: ["jsonPath": "bytes"]) }
          + texts.map { field($0, $1, type: "sc:Text") }),
    ]
  }

  private func field(
    _ column: String, _ description: String, type: String, transform: JSONValue? = nil
  ) -> JSONValue {
    let source: [JSONValue.Member] = [
      .init("fileSet", ["@id": .string(Self.files)]),
      .init("extract", ["column": .string(column)]),
    ]
    return [
      "@type": "cr:Field", "@id": .string("samples/\(column)"), "name": .string(column),
      "description": .string(description), "dataType": .string(type),
      "source": .object(source + (transform.map { [.init("transform", $0)] } ?? [])),
    ]
  }

  private var split: JSONValue {
    let names = DatasetSplit.allCases.map(\.hubName).joined(separator: "|")
    // mlcroissant looks for it again in what it found.
    let pattern = "^(?:.*\(ParquetExporter.root)/)?(\(names))(?:-.+parquet)?$"
    return [
      "@type": "cr:Field", "@id": "samples/split", "name": "split", "dataType": "sc:Text",
      "description": "The split the sample belongs to.",
      "source": [
        "fileSet": ["@id": .string(Self.files)], "extract": ["fileProperty": "fullpath"],
        "transform": ["regex": .string(pattern)],
      ], "references": ["field": ["@id": "splits/name"]],
    ]
  }

  var cardSection: String {
    """
    ### Croissant

    `\(Self.name)` describes the Parquet files: `mlcroissant.Dataset("\(Self.name)").records("samples")`.
    """
  }
}
