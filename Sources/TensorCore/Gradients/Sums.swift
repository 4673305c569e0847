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
  let blocks = RowBlocks(groups: groups, rows: rows, size: blockRows)
  let kernels = KernelLevel.kernels
  return Tensor(shape: [groups, columns]) { out in
    x.withUnsafePointer { source in
      withPooledDoubles(blocks.count * 2 * columns) { sums in
        withPooledFloats(columns) { origin in
          origin.update(repeating: 0, count: columns)
          blocks.forEach { block, group, first, count in
            let own = sums + block * 2 * columns
            ck_channel_moments(
              kernels, source + (group * rows + first) * columns, origin, count, columns, own,
              own + columns)
          }
        }
        for group in 0..<groups {
          for column in 0..<columns {
            var sum = 0.0
            for block in 0..<blocks.perGroup {
              sum += sums[(group * blocks.perGroup + block) * 2 * columns + column]
            }
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
