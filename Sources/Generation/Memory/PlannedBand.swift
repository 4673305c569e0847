/// Rows [1, h, W, C] of a map, which keep its memory.
struct PlannedBand {
  let storage: PlannedTensor
  let shape: [Int]

  /// One of its rows.
  var row: PlannedBand { PlannedBand(storage: storage, shape: [1, 1] + shape.dropFirst(2)) }
}
