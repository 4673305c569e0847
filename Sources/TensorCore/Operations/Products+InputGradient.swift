import CKernels

extension GatheredProduct {
  /// Gᵀ(g · W): the gradient of what the rows were gathered from.
  ///
  /// - Shapes: `gradient` [rows, outputs], `weight` [outputs, inputs, kernel height, kernel width] → `shape`.
  func inputGradient(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    let padding = Padding(
      top: kernelHeight - 1 - map.padding.top, bottom: kernelHeight - 1 - map.padding.bottom,
      left: kernelWidth - 1 - map.padding.left, right: kernelWidth - 1 - map.padding.right)
    let isFull =
      map.stride == 1 && map.enlargement == 1
      && min(padding.top, padding.bottom, padding.left, padding.right) >= 0
    guard isFull else { return scattered(gradient, weight, shape: shape) }
    return convolution(
      gradient.reshaped([map.samples, map.outHeight, map.outWidth, outputs]), mirrored(weight),
      padding: padding
    ).reshaped(shape)
  }

  /// The weights of the convolution that passes gradients back: inputs and outputs exchanged, taps mirrored.
  private func mirrored(_ weight: Tensor) -> PackedWeights {
    weight.withUnsafePointer { weight in
      PackedWeights(
        outputs: inputs, inputs: outputs, kernelHeight: kernelHeight, kernelWidth: kernelWidth
      ) { ck_pack_turned($0, weight, outputs, inputs, taps, 0, $1, $2, $3) }
    }
  }

  /// By rows of all taps that are added to where they came from, sample by sample.
  private func scattered(_ gradient: Tensor, _ weight: Tensor, shape: [Int]) -> Tensor {
    let spread = weight.withUnsafePointer { weight in
      PackedWeights(outputs: taps * inputs, inputs: outputs) {
        ck_pack_turned($0, weight, outputs, inputs, taps, 1, $1, $2, $3)
      }
    }
    let rows = linear(gradient.reshaped([map.rows, outputs]), spread)
    let (area, image) = (map.outHeight * map.outWidth, map.height * map.width * inputs)
    return Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      rows.withUnsafePointer { rows in
        Parallel.forEach(map.samples) { sample, _ in
          withUnsafePointer(to: layout) {
            ck_scatter_taps(
              $0, rows + sample * area * taps * inputs, destination + sample * image)
          }
        }
      }
    }
  }
}
