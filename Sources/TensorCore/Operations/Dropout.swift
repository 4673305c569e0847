/// Sets each element to 0 with a probability and scales the others, so that the expectation stays.
///
/// - Parameters:
///   - x: any tensor.
///   - rate: the probability, from 0 to below 1; at 0 `x` is returned.
///   - streams: where the draws come from.
///   - stream: the stream of this use; the same one drops the same elements.
/// - Returns: the tensor with elements dropped.
/// - Gradient: 1 / (1 − rate) where the element was kept, else 0.
/// - Source: `torch.nn.functional.dropout`; the draws are Philox's, four elements a block, not PyTorch's.
public func dropout(_ x: Tensor, rate: Float, streams: RandomStreams, stream: UInt64) -> Tensor {
  precondition(rate >= 0 && rate < 1, "dropout: rate \(rate) is not in [0, 1)")
  guard rate > 0 else { return x }
  let limit = UInt32(Double(rate) * 0x1p32)
  let kept = 1 / (1 - rate)
  let mask = Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress else { return }
    Parallel.forRanges(out.count, grain: elementGrain) { range in
      for first in Swift.stride(from: range.lowerBound, to: range.upperBound, by: 4) {
        let words = streams.words(stream: stream, block: UInt64(first / 4))
        for lane in 0..<min(4, range.upperBound - first) {
          let word = lane < 2 ? words.0 : words.1
          let draw = UInt32(truncatingIfNeeded: lane % 2 == 0 ? word : word >> 32)
          destination[first + lane] = draw < limit ? 0 : kept
        }
      }
    }
  }
  return x * mask
}
