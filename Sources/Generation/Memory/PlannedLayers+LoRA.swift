import Checkpoints

extension PlannedLayers {
  /// A weight with a LoRA's product added, as `LoRAMerge` makes it: the matrices, the one of them turned and packed, are
  /// there beside their product, and product and weight beside the sum.
  func adding(_ pair: LoRAFile.Pair, to weight: PlannedTensor) -> PlannedTensor {
    let product = product(of: pair)
    return withExtendedLifetime((weight, product)) { pool.take(weight.shape) }
  }

  private func product(of pair: LoRAFile.Pair) -> PlannedTensor {
    let up = pool.take([pair.outputs, pair.rank])
    let down = pool.take([pair.rank, pair.columns])
    let turned = pool.take([pair.columns, pair.rank])
    let packed = pool.take([padded(pair.columns), pair.rank])
    return withExtendedLifetime((up, down, turned, packed)) {
      pool.take([pair.outputs, pair.columns])
    }
  }
}
