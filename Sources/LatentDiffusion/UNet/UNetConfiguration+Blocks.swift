extension UNetConfiguration {
  /// Every block that can be tapped, in call order.
  public var blocks: [UNetBlock] { inputBlocks + [middleBlock] + outputBlocks }

  var middleBlock: UNetBlock {
    UNetBlock(place: .middle, level: levelCount - 1, channels: widths[levelCount - 1])
  }

  var inputBlocks: [UNetBlock] {
    var blocks = [UNetBlock(place: .input(0), level: 0, channels: widths[0])]
    for (level, width) in widths.enumerated() {
      let downsamples = level < levelCount - 1
      for index in 0..<blockCounts[level] + (downsamples ? 1 : 0) {
        let isDownsampler = index == blockCounts[level]
        blocks.append(
          UNetBlock(
            place: .input(blocks.count), level: isDownsampler ? level + 1 : level, channels: width))
      }
    }
    return blocks
  }

  var outputBlocks: [UNetBlock] {
    var blocks: [UNetBlock] = []
    for level in (0..<levelCount).reversed() {
      let last = blockCounts[level]
      for index in 0...last {
        blocks.append(
          UNetBlock(
            place: .output(blocks.count), level: index == last ? max(level - 1, 0) : level,
            channels: widths[level]))
      }
    }
    return blocks
  }
}
