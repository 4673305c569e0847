import TestSupport

/// Masks that Tests/Fixtures/regions/generate.py draws in the same way.
struct DrawnMask {
  let height: Int
  let width: Int
  let pixels: [Bool]

  init(_ number: Int) {
    var random = SeededGenerator(seed: UInt64(number))
    let head = (0..<16).map { _ in random.next() }
    let limit: UInt64 = number % 500 == 7 ? 400 : 24
    height = 1 + Int(head[0] % limit)
    width = 1 + Int(head[1] % limit)
    let kind = head[2] % 4
    if kind == 0 {
      let density = head[3] % 17
      pixels = (0..<height * width).map { _ in random.next() >> 60 < density }
      return
    }
    var inside = [Bool](repeating: false, count: height * width)
    for shape in 0..<1 + Int(head[3] % 3) {
      let numbers = head[4 + 4 * shape..<8 + 4 * shape].map { $0 }
      if kind == 1 {
        Self.turnRectangle(numbers, width, height, &inside)
      } else {
        Self.addDisc(numbers, width, height, &inside)
      }
    }
    pixels = kind == 3 ? inside.map { !$0 } : inside
  }

  private static func turnRectangle(
    _ numbers: [UInt64], _ width: Int, _ height: Int, _ inside: inout [Bool]
  ) {
    let columns = numbers[0...1].map { Int($0 % UInt64(width + 1)) }.sorted()
    let rows = numbers[2...3].map { Int($0 % UInt64(height + 1)) }.sorted()
    for y in rows[0]..<rows[1] {
      for x in columns[0]..<columns[1] { inside[y * width + x].toggle() }
    }
  }

  private static func addDisc(
    _ numbers: [UInt64], _ width: Int, _ height: Int, _ inside: inout [Bool]
  ) {
    let centre = (Int(numbers[0] % UInt64(2 * width)), Int(numbers[1] % UInt64(2 * height)))
    let radius = Int(numbers[2] % UInt64(max(width, height) + 1))
    for y in 0..<height {
      for x in 0..<width {
        let (dx, dy) = (2 * x - centre.0, 2 * y - centre.1)
        if dx * dx + dy * dy <= radius * radius { inside[y * width + x] = true }
      }
    }
  }
}
