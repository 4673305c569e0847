public import DatasetFormat
import Generation
public import Imaging

/// Masks that somebody predicted: a folder of them, or a run.
public final class PredictedMasks {
  /// Where they lie.
  public let path: String
  private let known: Set<String>
  private let folder: MaskFolder?
  private let run: RunPictures?
  private let values: MaskValues
  /// The position of each name in the run.
  private let positions: [String: Int]
  /// The id in the truth's table of each id in the run's.
  private let ids: [UInt16: UInt16]

  /// Lists masks.
  ///
  /// - Parameters:
  ///   - path: a folder of masks, whose values are the ids of the truth's classes, or a run, whose classes go by name.
  ///   - classes: the truth's classes.
  ///   - values: how a folder's values become ids.
  /// - Throws: `GenerationError` or `DatasetError` where they cannot be listed.
  public init(path: String, classes: ClassTable, values: MaskValues = MaskValues()) throws {
    self.path = path
    self.values = values
    if FileAccess.isFile("\(path)/\(RunLayout.configurationFile)") {
      let run = try RunPictures(RunContents.open(path: path), accepted: false)
      let own = Dictionary(uniqueKeysWithValues: classes.entries.map { ($0.name, $0.id) })
      ids = Dictionary(
        uniqueKeysWithValues: run.classes.entries.compactMap { entry in
          own[entry.name].map { (UInt16(entry.id), UInt16($0)) }
        })
      positions = Dictionary(
        uniqueKeysWithValues: run.names.enumerated().map { ($1, $0) })
      (self.run, folder, known) = (run, nil, Set(run.names))
    } else {
      let folder = try MaskFolder(path)
      (self.folder, run, known) = (folder, nil, Set(folder.names))
      (positions, ids) = ([:], [:])
    }
  }

  /// Whether there is a mask of this name.
  public func contains(_ name: String) -> Bool { known.contains(name) }

  /// Makes sure that each picture has a mask and no mask is left over.
  ///
  /// - Parameters:
  ///   - names: the pictures' names.
  ///   - others: names that may be there as well.
  ///   - truth: the truth, for messages.
  /// - Throws: `GenerationError` `missingInput` or `malformed` with the first name and how many there are.
  public func check(
    _ names: [String], allowing others: Set<String> = [], of truth: String
  ) throws {
    let missing = names.filter { !known.contains($0) }
    if let first = missing.first {
      throw GenerationError(
        .missingInput, path,
        "has no mask of \(Self.amount(missing.count, of: names.count, first)) in \(truth)")
    }
    let extra = known.subtracting(names).subtracting(others).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    if let first = extra.first {
      throw GenerationError(
        .malformed, path,
        "has \(Self.amount(extra.count, of: known.count, first)) that \(truth) does not have; "
          + "remove what is not to be measured")
    }
  }

  private static func amount(_ count: Int, of all: Int, _ first: String) -> String {
    count == 1 ? "\"\(first)\"" : "\(count) of \(all) names, \"\(first)\" being the first,"
  }

  /// Some of the masks, not decoded yet, with their files for messages.
  ///
  /// - Precondition: there are masks of these names.
  /// - Throws: `DatasetError` where the list of a run cannot be read.
  public func masks(
    _ names: [String]
  ) throws -> [(place: String, mask: () throws -> LabelMask)] {
    try names.map { name in
      if let folder {
        let values = values
        return (folder.file(of: name), { values.ids(of: try folder.mask(name)) })
      }
      guard let run, let position = positions[name] else {
        preconditionFailure("\(path) has no mask \(name)")
      }
      let picture = try run.pictures(position..<position + 1)[0]
      let ids = ids
      return (
        picture.place,
        {
          // A class that the truth does not have is wrong wherever it stands, as the ignored value is.
          try picture.truth().relabelled {
            $0 == LabelMask.background ? $0 : ids[$0] ?? LabelMask.ignored
          }
        }
      )
    }
  }
}
