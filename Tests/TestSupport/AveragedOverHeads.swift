public import TensorCore

extension Tensor {
  /// Probabilities [N, heads, T, S] averaged over the heads, [N, T, S].
  public var averagedOverHeads: Tensor {
    let (n, heads, t, s) = dimensions4("probabilities")
    let (count, values) = (t * s, self.values)
    return Tensor(
      (0..<n * count).map { index in
        let (sample, place) = (index / count, index % count)
        return (0..<heads).reduce(0) { $0 + values[(sample * heads + $1) * count + place] }
          / Float(heads)
      }, shape: [n, t, s])
  }
}
