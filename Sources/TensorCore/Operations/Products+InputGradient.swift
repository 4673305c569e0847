import CKernels

extension GatheredProduct {
  /// Gᵀ(g · W): the gradient of what the rows were gathered from.
  ///
  /// - Shapes: `gradient` [rows, outputs], `weight` [outputs, inputs, kernel height, kernel width] → `shape`.
  func inputGradient(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    if kernelHeight * kernelWidth == 1 && map.readsInPlace {
      return product(gradient, weight, shape: shape)
    }
    let padding = Padding(
      top: kernelHeight - 1 - map.padding.top, bottom: kernelHeight - 1 - map.padding.bottom,
      left: kernelWidth - 1 - map.padding.left, right: kernelWidth - 1 - map.padding.right)
    let isFull =
      map.stride == 1 && map.enlargement == 1
      && min(padding.top, padding.bottom, padding.left, padding.right) >= 0
    guard isFull else { return scattered(gradient, weight, shape: shape) }
    return convolution(
      gradient.reshaped([map.samples, map.outHeight, map.outWidth, outputs]),
      PackedWeights(convolution: Self.mirrored(weight), precision: .exact), padding: padding
    ).reshaped(shape)
  }

  private func product(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      gradient.withUnsafePointer { gradient in
        weight.withUnsafePointer { weight in
          BLAS.multiplyTiled(
            .init(gradient, rows: map.rows, columns: outputs),
            .init(weight, rows: outputs, columns: inputs), into: destination)
        }
      }
    }
  }

  /// The weights of the convolution that passes gradients back: inputs and outputs exchanged, taps mirrored.
  private static func mirrored(_ weight: Tensor) -> Tensor {
    let (o, i) = (weight.shape[0], weight.shape[1])
    let taps = weight.shape[2] * weight.shape[3]
    return Tensor(shape: [i, o, weight.shape[2], weight.shape[3]]) { out in
      guard let destination = out.baseAddress else { return }
      weight.withUnsafePointer { source in
        Parallel.forRanges(i, grain: max(1, elementGrain / (o * taps))) { range in
          for input in range {
            for output in 0..<o {
              let from = source + (output &* i &+ input) &* taps
              let to = destination + (input &* o &+ output) &* taps
              for tap in 0..<taps { to[tap] = from[taps &- 1 &- tap] }
            }
          }
        }
      }
    }
  }

  /// By rows of all taps that are added to where they came from, sample by sample.
  private func scattered(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    let taps = kernelHeight * kernelWidth
    let (area, width) = (map.outHeight * map.outWidth, taps * inputs)
    let image = map.height * map.width * inputs
    let tapped = Self.tapsFirst(weight)
    return Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      gradient.withUnsafePointer { gradient in
        tapped.withUnsafePointer { weight in
          Parallel.forEach(map.samples) { sample, _ in
            withPooledFloats(area * width) { rows in
              BLAS.multiply(
                .init(gradient + sample * area * outputs, rows: area, columns: outputs),
                .init(weight, rows: outputs, columns: width), into: rows)
              withUnsafePointer(to: layout) {
                ck_scatter_taps($0, rows, destination + sample * image)
              }
            }
          }
        }
      }
    }
  }

  /// [outputs, inputs, kh, kw] as [outputs, taps · inputs].
  private static func tapsFirst(_ weight: Tensor) -> Tensor {
    let (o, i) = (weight.shape[0], weight.shape[1])
    let taps = weight.shape[2] * weight.shape[3]
    return weight.withUnsafeBuffer { source in
      Tensor(shape: [o, taps * i]) { out in
        for output in 0..<o {
          for tap in 0..<taps {
            for input in 0..<i {
              out[(output &* taps &+ tap) &* i &+ input] =
                source[(output &* i &+ input) &* taps &+ tap]
            }
          }
        }
      }
    }
  }
}
