import CKernels

/// Rows of a block whose sums a thread makes alone; fixed, so that no sum depends on the thread count.
private let blockRows = 512

/// Adds rows of a gradient to rows that are `stride` floats apart.
func addRows(
  _ gradient: Tensor, rows: Int, width: Int, to target: UnsafeMutablePointer<Float>, stride: Int
) {
  gradient.withUnsafePointer { source in
    if rows == 1 {
      Parallel.forRanges(width, grain: elementGrain) { range in
        ck_add_scaled(
          source + range.lowerBound, 1, range.count, target + range.lowerBound)
      }
    } else {
      Parallel.forRanges(rows, grain: max(1, elementGrain / width)) { range in
        for row in range { ck_add_scaled(source + row * width, 1, width, target + row * stride) }
      }
    }
  }
}

/// The sums of groups of consecutive rows.
///
/// - Shapes: `x` of `groups` × rows × `columns` elements → [groups, columns].
func columnSums(_ x: Tensor, groups: Int = 1, columns: Int) -> Tensor {
  let rows = x.count / max(groups * columns, 1)
  let blocks = max((rows + blockRows - 1) / blockRows, 1)
  let kernels = KernelLevel.kernels
  return Tensor(shape: [groups, columns]) { out in
    x.withUnsafePointer { source in
      withPooledDoubles(groups * blocks * 2 * columns) { sums in
        withPooledFloats(columns) { origin in
          origin.update(repeating: 0, count: columns)
          Parallel.forEach(groups * blocks) { piece, _ in
            let (group, first) = (piece / blocks, piece % blocks * blockRows)
            let own = sums + piece * 2 * columns
            ck_channel_moments(
              kernels, source + (group * rows + first) * columns, origin,
              min(blockRows, rows - first), columns, own, own + columns)
          }
        }
        for group in 0..<groups {
          for column in 0..<columns {
            var sum = 0.0
            for block in 0..<blocks { sum += sums[(group * blocks + block) * 2 * columns + column] }
            out[group * columns + column] = Float(sum)
          }
        }
      }
    }
  }
}

/// A sum in double precision over blocks of fixed size, of what `body` gives for each.
func blockedSum(_ count: Int, _ body: (Range<Int>) -> Double) -> Double {
  let blocks = (count + elementGrain - 1) / elementGrain
  return withPooledDoubles(max(blocks, 1)) { sums in
    Parallel.forRanges(count, grain: elementGrain) { sums[$0.lowerBound / elementGrain] = body($0) }
    return (0..<blocks).reduce(0) { $0 + sums[$1] }
  }
}
