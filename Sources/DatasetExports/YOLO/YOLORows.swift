import Imaging

/// The label file of one picture: a row an instance, its class from 0 and the corners of one closed line.
///
/// - Source: the segmentation labels of ultralytics; what its data set check refuses.
struct YOLORows {
  /// An instance that the file does not hold to the pixel.
  struct Difference {
    /// The instance.
    let instance: InstanceMap.Instance
    /// The share of pixels that agree: intersection over union.
    let agreement: Double
    /// How many rows stand for it.
    let rows: Int
  }

  /// With less agreement pieces are not joined but get rows of their own.
  static let leastAgreement = 0.9
  /// Places behind the point of a coordinate.
  private static let digits = 6

  private struct Row {
    let category: Int
    var corners: [Int]

    /// Class and rectangle: of rows that have both in common the loader keeps one.
    var identity: [Int] {
      let xs = stride(from: 0, to: corners.count, by: 2).map { corners[$0] }
      let ys = stride(from: 1, to: corners.count, by: 2).map { corners[$0] }
      return [category, xs.min() ?? 0, ys.min() ?? 0, xs.max() ?? 0, ys.max() ?? 0]
    }
  }

  /// The instances that are not exact.
  private(set) var differences: [Difference] = []
  private var rows: [Row] = []
  private let map: InstanceMap

  init(_ map: InstanceMap) {
    self.map = map
    for instance in map.instances { add(instance) }
  }

  /// The file's text.
  var text: String {
    rows.map { row in
      let numbers = row.corners.enumerated().map { index, corner in
        Self.share(corner, of: index % 2 == 0 ? map.width : map.height)
      }
      return "\(row.category - 1) \(numbers.joined(separator: " "))\n"
    }.joined()
  }

  private mutating func add(_ instance: InstanceMap.Instance) {
    let closed = ClosedOutline(
      of: map.numbers, number: UInt8(instance.number), width: map.width, box: instance.box)
    if let closed, closed.agreement >= Self.leastAgreement {
      add(Row(category: instance.category, corners: closed.corners))
      if closed.agreement < 1 {
        differences.append(.init(instance: instance, agreement: closed.agreement, rows: 1))
      }
      return
    }
    let pieces = map.outlines(of: instance)
    for piece in pieces.polygons { add(Row(category: instance.category, corners: piece)) }
    differences.append(
      .init(instance: instance, agreement: pieces.agreement, rows: pieces.polygons.count))
  }

  private mutating func add(_ row: Row) {
    // The line of one goes on with the other's: out and back by the same bridge.
    guard let twin = rows.firstIndex(where: { $0.identity == row.identity }) else {
      return rows.append(row)
    }
    let start = rows[twin].corners.prefix(2)
    rows[twin].corners += start + row.corners + row.corners.prefix(2)
  }

  /// A length as a share of a side, rounded to ``digits`` places.
  private static func share(_ length: Int, of side: Int) -> String {
    let unit = 1_000_000
    let rounded = (2 * length * unit + side) / (2 * side)
    let text = String(rounded % unit)
    return "\(rounded / unit)." + String(repeating: "0", count: digits - text.count) + text
  }
}
