public import Imaging

/// The instances of a picture: which pixels belong to which.
public struct InstanceMap: Sendable, Equatable {
  /// One instance.
  public struct Instance: Sendable, Equatable {
    /// Its number in the picture, from 1, by ascending category and then from the top.
    public var number: Int
    /// Its category, from 1.
    public var category: Int
    /// Its pixels.
    public var area: Int
    /// Its rectangle.
    public var box: BoundingBox
  }

  /// The most instances of a picture: VOC's files have 8 bits.
  public static let limit = 254
  /// The number of pixels that count neither as right nor as wrong.
  public static let void: UInt8 = 255

  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// An instance's number a pixel, 0 for the background, 255 for void; row after row.
  public let numbers: [UInt8]
  /// The instances by ascending number.
  public let instances: [Instance]

  /// Divides a mask.
  ///
  /// - Parameters:
  ///   - mask: a category a pixel.
  ///   - division: what counts as one instance.
  ///   - place: the mask's file, for messages.
  /// - Throws: ``ExportError`` `malformed` where a picture holds more than ``limit`` classes.
  public init(_ mask: LabelMask, division: InstanceDivision, place: String) throws {
    width = mask.width
    height = mask.height
    var pieces =
      division == .parts
      ? ConnectedPieces(mask) : ConnectedPieces(wholeClassesOf: mask)
    if division == .parts {
      let least = Int((Double(width * height) * InstanceDivision.leastShare).rounded(.up))
      pieces.joinSmall(below: least)
      pieces.joinSmallest(beyond: Self.limit)
    }
    let ordered = pieces.ordered
    guard ordered.count <= Self.limit else {
      throw ExportError(
        .malformed, place,
        "\(ordered.count) classes in one picture; expected at most \(Self.limit)")
    }
    var numberOfPiece = [UInt8](repeating: 0, count: pieces.count)
    for (position, piece) in ordered.enumerated() {
      for member in piece.members { numberOfPiece[member] = UInt8(position + 1) }
    }
    numbers = mask.ids.indices.map { place in
      let id = mask.ids[place]
      if id == LabelMask.background { return 0 }
      if id == LabelMask.ignored { return Self.void }
      return numberOfPiece[pieces.pieceOfPixel[place]]
    }
    instances = ordered.enumerated().map { position, piece in
      Instance(
        number: position + 1, category: piece.category, area: piece.area, box: piece.box)
    }
  }

  /// Every instance's pixels, in the order of ``instances``.
  public var encodings: [RunLengthEncoding] {
    RunLengthEncoding.regions(
      of: numbers, height: height, width: width, count: instances.count)
  }

  /// The pixels that are no instance and not void: how many, and their rectangle; nil where there are none.
  public var background: (area: Int, box: BoundingBox)? { extent(of: 0) }

  /// The rectangle of the pixels that are void; nil where there are none.
  var ignoredBox: BoundingBox? { extent(of: Self.void)?.box }

  private func extent(of wanted: UInt8) -> (area: Int, box: BoundingBox)? {
    var area = 0
    var box: BoundingBox?
    for (place, number) in numbers.enumerated() where number == wanted {
      area += 1
      let pixel = BoundingBox(x: place % width, y: place / width)
      if box == nil { box = pixel } else { box?.form(unionWith: pixel) }
    }
    return box.map { (area, $0) }
  }

  /// The outlines of an instance.
  ///
  /// - Precondition: it is one of ``instances``.
  public func outlines(of instance: Instance) -> PolygonTracing {
    PolygonTracing(
      of: numbers, number: UInt8(instance.number), width: width, box: instance.box)
  }
}
