import Foundation
import TensorCore
import TestSupport
import Testing

@Suite("Resizing, channel statistics and gates against the plain reference, at every level")
struct MapOperationTests {
  @Test(arguments: KernelLevel.available)
  func bilinearResizingMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 31)
    var worst: Float = 0
    let sizes = [
      (8, 8, 16, 16), (16, 16, 8, 8), (9, 7, 72, 56), (1, 1, 5, 3), (5, 3, 1, 1), (2, 13, 7, 5),
      (4, 4, 4, 9), (33, 17, 12, 100),
    ]
    for c in tailSizes {
      for (h, w, height, width) in sizes {
        let x = random.tensor([2, h, w, c], scale: 2, mean: 1)
        let found = level.scoped { bilinearResized(x, height: height, width: width) }
        let expected = Reference.bilinearResized(x, height: height, width: width)
        let difference = Difference(found, expected).ofRange
        #expect(difference < 5e-7, "\(level) \(h)×\(w) to \(height)×\(width), \(c) channels")
        worst = max(worst, difference)
      }
    }
    print("bilinear \(level): worst difference / range \(worst)")
  }

  @Test func alignedResizingMatchesReferenceInBandsToo() {
    var random = SeededGenerator(seed: 36)
    let sizes = [
      (8, 8, 16, 16), (16, 16, 8, 8), (9, 7, 72, 56), (1, 1, 5, 3), (5, 3, 1, 1), (2, 13, 7, 5),
      (4, 4, 4, 9), (33, 17, 12, 100), (6, 5, 6, 5),
    ]
    for (h, w, height, width) in sizes {
      let x = random.tensor([2, h, w, 3], scale: 2, mean: 1)
      for isAligned in [true, false] {
        let found = bilinearResized(x, height: height, width: width, alignsCorners: isAligned)
        let expected = Reference.bilinearResized(
          x, height: height, width: width, alignsCorners: isAligned)
        #expect(Difference(found, expected).ofRange < 5e-7, "\(h)×\(w) to \(height)×\(width)")
        let sample = x.rows(1..<2).reshaped([h, w, 3])
        for first in stride(from: 0, to: height, by: 5) {
          let rows = first..<min(height, first + 5)
          let sources = bilinearSources(
            of: rows, height: height, from: h, alignsCorners: isAligned)
          let band = bilinearResizedRows(
            sample.rows(sources), sources: sources, of: h, to: rows, height: height, width: width,
            alignsCorners: isAligned)
          let whole = found.rows(1..<2).reshaped([height, width, 3]).rows(rows)
          #expect(band.values == whole.values, "rows \(rows) of \(h)×\(w) to \(height)×\(width)")
        }
      }
    }
  }

  @Test func windowsKeepTheirLargestValue() {
    var random = SeededGenerator(seed: 37)
    for (h, w, window, stride, padding) in [(7, 8, 3, 2, 1), (4, 4, 2, 2, 0), (1, 5, 3, 1, 1)] {
      let x = random.tensor([2, h, w, 5], mean: -3)
      let found = maxPooled(x, window: window, stride: stride, padding: padding)
      let (height, width) = (found.shape[1], found.shape[2])
      #expect(height == (h + 2 * padding - window) / stride + 1)
      let values = x.values
      for (index, value) in found.values.enumerated() {
        let (k, column) = (index % 5, index / 5 % width)
        let (row, sample) = (index / 5 / width % height, index / 5 / width / height)
        var largest = -Float.infinity
        for y in max(0, row * stride - padding)..<min(h, row * stride - padding + window) {
          for x in max(0, column * stride - padding)..<min(w, column * stride - padding + window) {
            largest = max(largest, values[((sample * h + y) * w + x) * 5 + k])
          }
        }
        #expect(value == largest)
      }
    }
  }

  @Test func rowsAreMeasuredAndMoved() {
    var random = SeededGenerator(seed: 38)
    for d in tailSizes {
      let x = random.tensor([3, 4, d], scale: 2)
      let (values, units) = (x.values, unitVectors(x).values)
      let (largest, moved) = (largestInRows(x), addingToRows(x, largestInRows(x)).values)
      #expect(largest.shape == [3, 4])
      for row in 0..<12 {
        let own = values[row * d..<(row + 1) * d]
        let length = own.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(largest.values[row] == own.max())
        for k in 0..<d {
          let value = values[row * d + k]
          #expect(abs(Double(units[row * d + k]) - Double(value) / length) < 3e-7)
          #expect(moved[row * d + k] == value + largest.values[row])
        }
      }
    }
  }

  @Test func resizingKeepsWhatIsStraight() {
    // A slope stays a slope away from the edges, where it is cut flat.
    let slope = Tensor((0..<8).map { Float($0) }, shape: [1, 1, 8, 1])
    let doubled = bilinearResized(slope, height: 1, width: 16).values
    #expect(doubled == (0..<16).map { min(max(Float($0) / 2 - 0.25, 0), 7) })
    let flat = Tensor(repeating: 3, shape: [1, 5, 7, 3])
    #expect(bilinearResized(flat, height: 11, width: 2).values.allSatisfy { $0 == 3 })
  }

  @Test func aSampleIsResizedTheSameInAnyBatch() {
    var random = SeededGenerator(seed: 32)
    let x = random.tensor([3, 6, 5, 19])
    let whole = bilinearResized(x, height: 13, width: 9)
    for sample in 0..<3 {
      let alone = bilinearResized(x.rows(sample..<sample + 1), height: 13, width: 9)
      #expect(alone.values == whole.rows(sample..<sample + 1).values)
    }
  }

  @Test(arguments: KernelLevel.available)
  func channelAffineMatchesReference(level: KernelLevel) {
    var random = SeededGenerator(seed: 33)
    for c in tailSizes + [240] {
      let x = random.tensor([2, 9, 31, c], scale: 3, mean: 2)
      let (mean, scale, shift) = (random.tensor([c]), random.tensor([c]), random.tensor([c]))
      let found = level.scoped { channelAffine(x, mean: mean, scale: scale, shift: shift) }
      let expected = Reference.channelAffine(x, mean: mean, scale: scale, shift: shift)
      #expect(Difference(found, expected).ofRange < 3e-7, "\(level) \(c) channels")
    }
  }

  @Test(arguments: KernelLevel.available)
  func gatesMatchReference(level: KernelLevel) {
    let x = Tensor((-3000...3000).map { Float($0) / 30 }, shape: [6001])
    level.scoped {
      #expect(relu(x).values == x.values.map { max($0, 0) })
      let expected = x.values.map { Float(1 / (1 + exp(-Double($0)))) }
      let worst = zip(sigmoid(x).values, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(worst < 2e-7, "\(level)")
      #expect(sigmoid(x).values.allSatisfy { (0...1).contains($0) })
    }
  }
}
