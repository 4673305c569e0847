public import Imaging
import MaskGrounding
import TensorCore

/// One picture of all that was found.
public enum InspectionPanel {
  /// The most steps of a sweep that are drawn.
  static let columnLimit = 12
  /// The longest side of a map of a sweep, in pixels.
  private static let smallSide = 64
  /// The share of a mask's colour where it lies over the picture.

  /// Draws the panel.
  ///
  /// - Parameters:
  ///   - inspection: what was found.
  ///   - title: what stands above it.
  /// - Returns: an RGB picture.
  /// - Throws: `ImagingError` where there is more than a picture holds.
  public static func draw(_ inspection: Inspection, title: String) throws -> PixelImage {
    let mask = inspection.composed.mask
    let found = inspection.composed.scores.count { $0.isPresent }
    let whole = PicturePanel.Card(
      title: "all",
      note: "\(found) of \(inspection.entities.count) present", colour: nil,
      tiles: [
        .init(inspection.image, name: "picture"), .init(mask.coloured, name: "masks"),
        .init(mask.overlaid(on: inspection.image), name: "overlay"),
      ])
    let cards = try inspection.entities.indices.map { try card($0, of: inspection) }
    var table: PicturePanel.Table?
    let drawn = inspection.steps.filter { !$0.maps.isEmpty }
    if !drawn.isEmpty {
      table = PicturePanel.Table(
        title: "as read at each step",
        columns: drawn.map { "\($0.step) (t \($0.timestep))" },
        rows: inspection.entities.enumerated().map { index, entity in
          (entity.name, drawn.map { $0.maps[index] })
        })
    }
    return try PicturePanel(title: title, cards: [whole] + cards, table: table).draw()
  }

  /// An entity's map in colours, small.
  static func smallMap(_ index: Int, of composed: ComposedMask) throws -> PixelImage {
    let map = try heatMap(index, of: composed)
    let longest = max(map.width, map.height)
    return try map.resized(
      width: max(1, map.width * smallSide / longest),
      height: max(1, map.height * smallSide / longest),
      method: longest > smallSide ? .area : .nearest)
  }

  private static func card(_ index: Int, of inspection: Inspection) throws -> PicturePanel.Card {
    let (entity, composed) = (inspection.entities[index], inspection.composed)
    let id = UInt16(entity.classID)
    return PicturePanel.Card(
      title: entity.name, note: note(composed.scores[index], isNamed: entity.isNamed),
      colour: Palette.colour(of: id),
      tiles: [
        .init(try heatMap(index, of: composed), name: "map"),
        .init(composed.mask.coloured(only: id), name: "mask"),
        .init(composed.mask.overlaid(on: inspection.image, only: id), name: "overlay"),
      ])
  }

  private static func note(_ score: EntityScore, isNamed: Bool) -> String {
    let place = isNamed ? "" : ", not named"
    guard score.isPresent else { return "absent\(place), presence \(hundredths(score.presence))" }
    return
      "present\(place), presence \(hundredths(score.presence)), area \(hundredths(score.area)), "
      + "confidence \(hundredths(score.confidence)), edge \(hundredths(score.edgeConfidence))"
  }

  private static func hundredths(_ value: Float) -> String {
    let digits = Int((Double(value) * 100).rounded())
    return "\(digits / 100).\(digits % 100 < 10 ? "0" : "")\(digits % 100)"
  }

  private static func heatMap(_ index: Int, of composed: ComposedMask) throws -> PixelImage {
    let shape = composed.probabilities.shape
    return try HeatMap.draw(
      composed.probabilities.rows(index..<index + 1).values, width: shape[2], height: shape[1])
  }
}
