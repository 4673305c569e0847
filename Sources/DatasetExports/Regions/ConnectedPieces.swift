import Imaging

/// The pieces of a mask's classes, each with its pixels, area and rectangle.
struct ConnectedPieces {
  /// Pieces that count as one.
  struct Piece {
    var members: [Int]
    var category: Int
    var area: Int
    var box: BoundingBox
  }

  /// The piece of each pixel, as a place in the first list of pieces; -1 for background and ignored pixels.
  private(set) var pieceOfPixel: [Int]
  /// How many pieces there were before any were joined.
  let count: Int
  private var pieces: [Piece]

  /// One piece a class.
  init(wholeClassesOf mask: LabelMask) {
    var pieceOfClass: [UInt16: Int] = [:]
    let labels = mask.ids.map { id -> Int in
      if id == LabelMask.background || id == LabelMask.ignored { return -1 }
      if let piece = pieceOfClass[id] { return piece }
      pieceOfClass[id] = pieceOfClass.count
      return pieceOfClass.count - 1
    }
    self.init(mask, labels: labels, count: pieceOfClass.count)
  }

  /// Pieces whose pixels touch at edges or corners.
  init(_ mask: LabelMask) {
    let (width, ids) = (mask.width, mask.ids)
    var labels = [Int](repeating: -1, count: ids.count)
    var count = 0
    var pending: [Int] = []
    for first in ids.indices where labels[first] < 0 {
      let id = ids[first]
      if id == LabelMask.background || id == LabelMask.ignored { continue }
      labels[first] = count
      pending.append(first)
      while let place = pending.popLast() {
        let (x, y) = (place % width, place / width)
        for neighbourY in max(0, y - 1)...min(mask.height - 1, y + 1) {
          for neighbourX in max(0, x - 1)...min(width - 1, x + 1) {
            let neighbour = neighbourY * width + neighbourX
            guard labels[neighbour] < 0, ids[neighbour] == id else { continue }
            labels[neighbour] = count
            pending.append(neighbour)
          }
        }
      }
      count += 1
    }
    self.init(mask, labels: labels, count: count)
  }

  private init(_ mask: LabelMask, labels: [Int], count: Int) {
    var found = [Piece?](repeating: nil, count: count)
    for (place, label) in labels.enumerated() where label >= 0 {
      let pixel = BoundingBox(x: place % mask.width, y: place / mask.width)
      if found[label] == nil {
        found[label] = Piece(
          members: [label], category: Int(mask.ids[place]), area: 1, box: pixel)
      } else {
        found[label]?.area += 1
        found[label]?.box.form(unionWith: pixel)
      }
    }
    pieceOfPixel = labels
    self.count = count
    pieces = found.compactMap { $0 }
  }

  /// The pieces by category, then in the order of their first pixels.
  var ordered: [Piece] {
    pieces.sorted { ($0.category, $0.members[0]) < ($1.category, $1.members[0]) }
  }

  /// Joins pieces of fewer pixels to the largest of their class.
  mutating func joinSmall(below least: Int) {
    join { piece, largest in piece.area < least && piece.members[0] != largest.members[0] }
  }

  /// Joins the smallest pieces to the largest of their class until no more than `limit` are left; the largest stay.
  mutating func joinSmallest(beyond limit: Int) {
    guard pieces.count > limit else { return }
    let largest = largestOfClass()
    let candidates = pieces.filter { largest[$0.category]?.members[0] != $0.members[0] }
      .sorted { ($0.area, $1.members[0]) < ($1.area, $0.members[0]) }
    let joined = Set(candidates.prefix(pieces.count - limit).map { $0.members[0] })
    join { piece, _ in joined.contains(piece.members[0]) }
  }

  private func largestOfClass() -> [Int: Piece] {
    var largest: [Int: Piece] = [:]
    for piece in pieces where piece.area > largest[piece.category]?.area ?? 0 {
      largest[piece.category] = piece
    }
    return largest
  }

  private mutating func join(where isJoined: (_ piece: Piece, _ largest: Piece) -> Bool) {
    var largest = largestOfClass()
    var kept: [Piece] = []
    let homes = largest.mapValues { $0.members[0] }
    for piece in pieces {
      guard let home = largest[piece.category] else { continue }
      if isJoined(piece, home) {
        largest[piece.category]?.members += piece.members
        largest[piece.category]?.area += piece.area
        largest[piece.category]?.box.form(unionWith: piece.box)
      } else if homes[piece.category] != piece.members[0] {
        kept.append(piece)
      }
    }
    // A dictionary has no order, and the largest of equal pieces must be the same one every time.
    pieces = (kept + largest.values).sorted { $0.members[0] < $1.members[0] }
  }
}
