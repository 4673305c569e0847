import DatasetFormat

extension RunStatistics {
  /// The counts for people.
  ///
  /// - Parameters:
  ///   - width: characters of a terminal's line, for bars and the map; nil for plain columns, as other programs read
  ///     them.
  ///   - shown: how a name is written on one line.
  /// - Returns: lines.
  public func lines(width: Int?, shown: (String) -> String) -> [String] {
    var lines = [
      "\(tally.samples) \(tally.samples == 1 ? "sample" : "samples"), \(tally.accepted) accepted"
        + (missingShards.isEmpty
          ? ""
          : ", of a run of \(planned) (not made yet: shards \(ShardSelection.text(missingShards)))")
    ]
    let reasons = tally.rejectedByReason.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    lines += table(
      "rejected by reason", rows: reasons.map { ([shown($0.key)], [$0.value]) }, width: width)
    lines += table(
      "class, images, accepted, pixels",
      rows: perClass.map { ([shown($0.entry.name)] + sideName($0.entry.split), $0.counts.columns) },
      width: width)
    if hasSplit {
      lines += table(
        "side, images, accepted, pixels",
        rows: [ClassTable.Split.seen, .unseen].map { ([$0.rawValue], counts(of: $0).columns) },
        width: width)
    }
    guard masks > 0 else { return lines + ["no masks"] }
    lines += histogram("area of masks, share of the picture", areas, width: width)
    lines += histogram("confidence inside masks", confidences, width: width)
    lines += histogram("confidence along edges", edgeConfidences, width: width)
    return lines + (width == nil ? [] : map)
  }

  private func sideName(_ side: ClassTable.Split) -> [String] { hasSplit ? [side.rawValue] : [] }

  /// Rows of words and counts below a title, with a bar for the first count.
  private func table(
    _ title: String, rows: [(words: [String], counts: [Int])], width: Int?
  ) -> [String] {
    guard let first = rows.first else { return [] }
    let words = first.words.indices.map { column in rows.map { $0.words[column].count }.max() ?? 0 }
    let digits = first.counts.indices.map { column in
      rows.map { String($0.counts[column]).count }.max() ?? 0
    }
    let most = rows.map { $0.counts[0] }.max() ?? 0
    return [title + ":"]
      + rows.map { row in
        let left = zip(row.words, words).map { Self.padded($0, to: $1) }
        let right = zip(row.counts, digits).map { Self.padded(String($0), to: -$1) }
        let line = "  " + (left + right).joined(separator: "  ")
        return line + Self.bar(row.counts[0], of: most, behind: line, width: width)
      }
  }

  private func histogram(_ title: String, _ histogram: Histogram, width: Int?) -> [String] {
    let ends = (0...Histogram.binCount).map { place in
      let hundredths = place * 100 / Histogram.binCount
      return "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
    }
    return table(
      title,
      rows: histogram.bins.enumerated().map { place, bin in
        (["\(ends[place])-\(ends[place + 1])"], [bin.accepted + bin.rejected])
      }, width: width)
  }

  /// Where objects lie, two rows of cells a line, since characters are higher than wide.
  private var map: [String] {
    let (side, shades) = (PlaceMap.side, Array(" .:-=+*#%@"))
    let shares = places.shares
    let most = max(shares.max() ?? 0, .leastNormalMagnitude)
    let border = "  +" + String(repeating: "-", count: side) + "+"
    let rows = stride(from: 0, to: side, by: 2).map { row in
      let cells = (0..<side).map { column in
        let share = (shares[row * side + column] + shares[(row + 1) * side + column]) / 2
        return shades[min(shades.count - 1, Int(share / most * Double(shades.count)))]
      }
      return "  |" + String(cells) + "|"
    }
    return ["where objects lie:", border] + rows + [border]
  }

  /// The text with spaces behind it, or before it where the length is negative.
  private static func padded(_ text: String, to length: Int) -> String {
    let space = String(repeating: " ", count: max(0, abs(length) - text.count))
    return length < 0 ? space + text : text + space
  }

  private static func bar(_ count: Int, of most: Int, behind line: String, width: Int?) -> String {
    guard let width, count > 0 else { return "" }
    let room = min(60, max(8, width - line.count - 3))
    let length = (count * room + most - 1) / most
    return "  " + String(repeating: "#", count: length)
  }
}

extension RunStatistics.Counts {
  fileprivate var columns: [Int] { [images, accepted, pixels] }
}
