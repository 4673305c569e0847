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
  private static let opacity = 0.5

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
        .init(overlay(mask, on: inspection.image, only: nil), name: "overlay"),
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
        .init(overlay(composed.mask, on: nil, only: id), name: "mask"),
        .init(overlay(composed.mask, on: inspection.image, only: id), name: "overlay"),
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

  /// A mask in its colours over a picture, or over black; of one id, or of all.
  private static func overlay(
    _ mask: LabelMask, on image: PixelImage?, only id: UInt16?
  ) -> PixelImage {
    var out = image ?? mask.coloured
    for y in 0..<mask.height {
      for x in 0..<mask.width {
        let own = mask[x, y]
        let isShown = own != LabelMask.background && (id == nil || own == id)
        guard let image else {
          if !isShown { out[x, y] = Colour(0, 0, 0) }
          continue
        }
        guard isShown else { continue }
        let colour = Palette.colour(of: own == LabelMask.ignored ? 255 : own)
        out[x, y] = isEdge(mask, x, y) ? colour : mixed(image[x, y], colour)
      }
    }
    return out
  }

  private static func isEdge(_ mask: LabelMask, _ x: Int, _ y: Int) -> Bool {
    let own = mask[x, y]
    return [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)].contains { column, row in
      (0..<mask.width).contains(column) && (0..<mask.height).contains(row)
        && mask[column, row] != own
    }
  }

  private static func mixed(_ below: Colour, _ above: Colour) -> Colour {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) * (1 - opacity) + Double(b) * opacity).rounded())
    }
    return Colour(
      mix(below.red, above.red), mix(below.green, above.green), mix(below.blue, above.blue))
  }
}
