public import CanonicalJSON
import Imaging
import MaskGrounding

/// The files of an inspection: `panel.png`, `mask.png` and `inspect.json`.
public struct InspectionFolder {
  /// The folder.
  public let path: String

  /// The panel's file.
  public var panel: String { "\(path)/panel.png" }
  /// The mask's file.
  public var mask: String { "\(path)/mask.png" }
  /// The file of what was found.
  public var findings: String { "\(path)/inspect.json" }

  /// Makes the folder where it is not there, before hours of work end there.
  ///
  /// - Throws: ``GenerationError`` where files cannot be made in it.
  public init(path: String) throws {
    self.path = path
    try WholeFile.makeFolder(path)
  }

  /// Writes all files; those of an earlier inspection are replaced.
  ///
  /// - Parameters:
  ///   - inspection: what was found.
  ///   - title: what stands above the panel.
  ///   - findings: what stands in `inspect.json`.
  /// - Throws: ``GenerationError`` where a file cannot be made, `ImagingError` where a picture would be too large.
  public func write(_ inspection: Inspection, title: String, findings: JSONValue) throws {
    let panel = try PNGCodec.encode(try InspectionPanel.draw(inspection, title: title))
    let depth = LabelMask.Depth(highestID: inspection.entities.map(\.classID).max() ?? 0)
    let mask = try PNGCodec.encode(inspection.composed.mask, depth: depth)
    try WholeFile.write(panel, to: self.panel)
    try WholeFile.write(mask, to: self.mask)
    try WholeFile.write(Array((findings.text + "\n").utf8), to: self.findings)
  }
}
