import Imaging
import TestSupport
import Testing

struct HeatMapTests {
  /// Relative luminance of sRGB.
  private func luminance(_ colour: Colour) -> Double {
    func light(_ sample: UInt8) -> Double {
      // A square is near enough to the curve for an order.
      Double(sample) * Double(sample)
    }
    return 0.2126 * light(colour.red) + 0.7152 * light(colour.green) + 0.0722 * light(colour.blue)
  }

  @Test func moreIsLighterAtEveryStep() {
    let values = HeatMap.colours.map(luminance)
    for step in 4..<256 { #expect(values[step] > values[step - 4], "step \(step)") }
    #expect(Set(HeatMap.colours.map { [$0.red, $0.green, $0.blue] }).count > 240)
  }

  @Test func lightnessRisesEvenly() {
    // The cube root of luminance is lightness but for its scale.
    let values = stride(from: 0, through: 255, by: 51).map { step -> Double in
      var low = 0.0
      var high = 100.0
      let target = luminance(HeatMap.colours[step])
      for _ in 0..<60 {
        let middle = (low + high) / 2
        if middle * middle * middle < target { low = middle } else { high = middle }
      }
      return low
    }
    let steps = zip(values.dropFirst(), values).map { $0 - $1 }
    let mean = steps.reduce(0, +) / Double(steps.count)
    for step in steps { #expect(abs(step / mean - 1) < 0.5, "\(steps)") }
  }

  @Test func numbersOutOfRangeHaveTheColoursOfTheEnds() throws {
    for value in [Float(-1), -.infinity, .nan, 0] {
      #expect(HeatMap.colour(of: value) == HeatMap.colours[0])
    }
    for value in [Float(1), 2, .infinity] {
      #expect(HeatMap.colour(of: value) == HeatMap.colours[255])
    }
    let image = try HeatMap.draw([0, 1], width: 2, height: 1)
    #expect(image[0, 0] == HeatMap.colours[0] && image[1, 0] == HeatMap.colours[255])
    #expect(throws: ImagingError.self) { try HeatMap.draw([0], width: 2, height: 1) }
  }
}
