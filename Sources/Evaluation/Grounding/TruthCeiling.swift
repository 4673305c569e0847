public import Imaging
public import MaskGrounding
import TensorCore

/// The best mask that a module of some resolution could draw.
public enum TruthCeiling {
  /// Takes true masks through a module's resolution: each entity's mask is averaged over the cells of a module's map,
  /// and what that becomes is composed as a module's maps are.
  ///
  /// - Parameters:
  ///   - truth: where things are; an ignored pixel counts as background.
  ///   - entities: what the module would be asked for.
  ///   - pixelsPerCell: pixels of a side that become one cell.
  /// - Returns: the mask.
  /// - Throws: `ImagingError` where the size is out of a picture's range.
  public static func mask(
    _ truth: LabelMask, entities: [Entity], pixelsPerCell: Int
  ) throws -> LabelMask {
    let rows = (truth.height + pixelsPerCell - 1) / pixelsPerCell
    let columns = (truth.width + pixelsPerCell - 1) / pixelsPerCell
    var sums = [Float](repeating: 0, count: entities.count * rows * columns)
    var sizes = [Float](repeating: 0, count: rows * columns)
    for y in 0..<truth.height {
      for x in 0..<truth.width {
        let cell = y / pixelsPerCell * columns + x / pixelsPerCell
        let id = Int(truth.ids[y * truth.width + x])
        sizes[cell] += 1
        for (place, entity) in entities.enumerated() where entity.classID == id {
          sums[place * rows * columns + cell] += 1
        }
      }
    }
    for place in sums.indices { sums[place] /= sizes[place % (rows * columns)] }
    let maps = EntityMaps(
      probabilities: Tensor(sums, shape: [entities.count, rows, columns]),
      presence: entities.map { _ in 1 })
    return try MaskComposer().compose(
      maps, entities: entities, width: truth.width, height: truth.height
    ).mask
  }
}
