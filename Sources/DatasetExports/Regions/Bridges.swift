/// The shortest bridges that make one line of several outlines: a tree from the first outline on.
struct Bridges {
  private struct Bridge {
    /// The outline it leads from, and the corner there.
    var parent: Int
    var from: Int
    /// The corner it leads to.
    var to: Int
    var distance: Int
  }

  private let outlines: [[(x: Int, y: Int)]]
  private var bridges: [Int: Bridge] = [:]

  /// Finds the bridges: again and again the outline that is nearest to those already joined.
  init(_ flat: [[Int]]) {
    outlines = flat.map { corners in
      stride(from: 0, to: corners.count, by: 2).map { (corners[$0], corners[$0 + 1]) }
    }
    var best: [Int: Bridge] = [:]
    var last = 0
    for _ in outlines.indices.dropFirst() {
      for other in outlines.indices where other != 0 && bridges[other] == nil {
        let found = nearest(from: last, to: other)
        if found.distance < best[other]?.distance ?? .max { best[other] = found }
      }
      let open = best.filter { bridges[$0.key] == nil }
      guard let next = open.min(by: { ($0.value.distance, $0.key) < ($1.value.distance, $1.key) })
      else { break }
      bridges[next.key] = next.value
      last = next.key
    }
  }

  private func nearest(from parent: Int, to child: Int) -> Bridge {
    var best = Bridge(parent: parent, from: 0, to: 0, distance: .max)
    for (from, a) in outlines[parent].enumerated() {
      for (to, b) in outlines[child].enumerated() {
        let distance = (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)
        if distance < best.distance {
          best = Bridge(parent: parent, from: from, to: to, distance: distance)
        }
      }
    }
    return best
  }

  /// The bridges, from corner to corner.
  var lines: [(start: (x: Int, y: Int), end: (x: Int, y: Int))] {
    bridges.sorted { $0.key < $1.key }.map { child, bridge in
      (outlines[bridge.parent][bridge.from], outlines[child][bridge.to])
    }
  }

  /// The corners of the whole line: every outline once around, every bridge there and back.
  var walk: [Int] {
    var children: [Int: [Int: [Int]]] = [:]
    for (child, bridge) in bridges.sorted(by: { $0.key < $1.key }) {
      children[bridge.parent, default: [:]][bridge.from, default: []].append(child)
    }
    var line: [Int] = []
    func go(around outline: Int, from start: Int) {
      let corners = outlines[outline]
      for step in corners.indices {
        let place = (start + step) % corners.count
        line += [corners[place].x, corners[place].y]
        for child in children[outline]?[place] ?? [] {
          let landing = bridges[child]?.to ?? 0
          go(around: child, from: landing)
          let end = outlines[child][landing]
          line += [end.x, end.y, corners[place].x, corners[place].y]
        }
      }
    }
    go(around: 0, from: 0)
    return line
  }
}
