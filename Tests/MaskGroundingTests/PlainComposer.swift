import Foundation
import Imaging
import MaskGrounding

/// The composition of masks written plainly, pixel by pixel, as ``MaskComposer`` describes it.
struct PlainComposer {
  let settings: MaskComposer.Settings
  let width: Int
  let height: Int

  struct Result {
    var ids: [UInt16]
    var scores: [EntityScore]
  }

  /// `maps`: one [H, W] an entity at the picture's size, in 0...1.
  func compose(_ maps: [[Float]], _ presence: [Float], _ entities: [Entity]) -> Result {
    var ids: [Int] = []
    for entity in entities where !ids.contains(entity.classID) { ids.append(entity.classID) }
    let area = width * height
    let members = ids.map { id in entities.indices.filter { entities[$0].classID == id } }
    let classMaps = members.map { members in
      (0..<area).map { place in members.map { maps[$0][place] }.max() ?? 0 }
    }
    let classPresence = members.map { $0.map { presence[$0] }.max() ?? 0 }
    let candidates = ids.indices.filter { classPresence[$0] >= settings.presenceThreshold }
    let before = (0..<area).map { place -> Int in
      let best = candidates.map { classMaps[$0][place] }.max() ?? 0
      guard best >= settings.threshold else { return -1 }
      return candidates.first { classMaps[$0][place] == best } ?? -1
    }
    var after = before
    if let band = settings.ignoreBand {
      for place in 0..<area {
        let values = candidates.map { classMaps[$0][place] }.sorted(by: >)
        let isNear = near(place).contains { before[$0] != before[place] }
        let isUndecided = abs((values.first ?? 0) - settings.threshold) < band
        let second = values.count > 1 ? values[1] : 0
        let isContested = before[place] >= 0 && values[0] - second < band
        if isNear && (isUndecided || isContested) { after[place] = -2 }
      }
    }
    let scores = ids.indices.map {
      score($0, before, after, classMaps[$0], classPresence[$0])
    }
    return Result(
      ids: after.map {
        $0 >= 0 ? UInt16(ids[$0]) : $0 == -2 ? LabelMask.ignored : LabelMask.background
      },
      scores: entities.map { entity in scores[ids.firstIndex(of: entity.classID) ?? 0] })
  }

  private func score(
    _ index: Int, _ before: [Int], _ after: [Int], _ map: [Float], _ presence: Float
  ) -> EntityScore {
    let pixels = after.indices.filter { after[$0] == index }
    guard !pixels.isEmpty else { return .absent(presence: presence) }
    var (right, entropy): ([Double], [Double]) = ([], [])
    for place in before.indices {
      let isInside = before[place] == index
      let isOutside = !isInside && near(place).contains { before[$0] == index }
      let probability = Double(map[place])
      if isInside || isOutside {
        entropy.append(
          [probability, 1 - probability].reduce(0) { $0 - ($1 > 0 ? $1 * log2($1) : 0) })
      }
      if isOutside { right.append(1 - probability) }
      if isInside && near(place).contains(where: { before[$0] != index }) {
        right.append(probability)
      }
    }
    func mean(_ values: [Double]) -> Float {
      values.isEmpty ? 0 : Float(values.reduce(0, +) / Double(values.count))
    }
    return EntityScore(
      isPresent: true, presence: presence, area: Float(pixels.count) / Float(map.count),
      confidence: mean(pixels.map { Double(map[$0]) }), edgeConfidence: mean(right),
      partCount: partCount(Set(pixels)),
      touchesBorder: pixels.contains {
        $0 % width == 0 || $0 % width == width - 1 || $0 / width == 0 || $0 / width == height - 1
      }, entropy: mean(entropy))
  }

  /// The pixels at most 2 steps away.
  private func near(_ place: Int) -> [Int] {
    let (x, y) = (place % width, place / width)
    return (-2...2).flatMap { dy in
      (-2...2).compactMap { dx in
        abs(dx) + abs(dy) <= 2 && (0..<width).contains(x + dx) && (0..<height).contains(y + dy)
          ? (y + dy) * width + x + dx : nil
      }
    }
  }

  private func partCount(_ pixels: Set<Int>) -> Int {
    var (left, count) = (pixels, 0)
    while let start = left.first {
      count += 1
      var open = [start]
      left.remove(start)
      while let place = open.popLast() {
        let sides = [
          place % width > 0 ? place - 1 : -1, place % width < width - 1 ? place + 1 : -1,
          place - width, place + width,
        ]
        for side in sides where left.remove(side) != nil { open.append(side) }
      }
    }
    return count
  }
}
