import DatasetFormat

/// Writes one layout of a data set.
///
/// Calls come in this order: ``begin()``, ``announce(_:split:)`` for every sample, ``add(_:)`` for every sample in the
/// same order, ``finish()``. The announcement is what lets a layout write lists of samples before their pixels are
/// read, so that nothing has to be held.
protocol DatasetExporter: AnyObject {
  /// Makes folders and begins files.
  func begin() throws
  /// Takes note of a sample without its pixels.
  func announce(_ record: SampleRecord, split: DatasetSplit) throws
  /// Writes a sample.
  func add(_ sample: ExportSample) throws
  /// Ends the files.
  func finish() throws
  /// What the card says of the layout, Markdown; after ``finish()``.
  var cardSection: String { get }
  /// What people should know once it is written, a line each; after ``finish()``.
  var notes: [String] { get }
  /// How the Hugging Face hub reads the layout; nil where it does not.
  var hubConfiguration: HubConfiguration? { get }
}

extension DatasetExporter {
  func announce(_ record: SampleRecord, split: DatasetSplit) throws {}
  var notes: [String] { [] }
  var hubConfiguration: HubConfiguration? { nil }
}

extension ExportFormat {
  /// Makes the layout's writer.
  ///
  /// - Throws: ``ExportError`` where the plan does not fit the layout.
  func exporter(_ plan: ExportPlan, _ folder: ExportFolder) throws -> any DatasetExporter {
    switch self {
    case .voc: try VOCExporter(plan, folder)
    case .coco: COCOExporter(plan, folder)
    case .mmseg: try MaskFolderExporter(plan, folder, style: .mmseg)
    case .ade: try MaskFolderExporter(plan, folder, style: .ade)
    case .imagefolder: ImageFolderExporter(plan, folder)
    case .parquet: ParquetExporter(plan, folder)
    case .webdataset: WebDatasetExporter(plan, folder)
    case .yolo: YOLOExporter(plan, folder)
    case .labelme: LabelMeExporter(plan, folder)
    case .croissant: CroissantExporter(plan, folder)
    }
  }
}
