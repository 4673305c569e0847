import LatentDiffusion
import MaskGrounding

/// Several readings that look at the same calls of the U-Net.
struct ReadingGroup {
  private let members: [any MaskReading]

  /// - Precondition: there is one, and all are of sources of one kind.
  init(_ members: [any MaskReading]) {
    precondition(!members.isEmpty, "a group without readings")
    self.members = members
  }

  /// What any of them wants.
  func taps(step: Int, timestep: Int) -> UNetTaps? {
    let wanted = members.compactMap { $0.taps(step: step, timestep: timestep) }
    guard wanted.count > 1 else { return wanted.first }
    precondition(
      wanted.allSatisfy {
        $0.attentionSamples == wanted[0].attentionSamples
          && $0.selfAttentionLimit == wanted[0].selfAttentionLimit
      }, "readings of one kind want attention of other samples or sizes")
    return UNetTaps(
      blocks: wanted.reduce(into: []) { $0.formUnion($1.blocks) },
      attentionLayers: wanted.reduce(into: []) { $0.formUnion($1.attentionLayers) },
      attentionSamples: wanted[0].attentionSamples,
      selfAttentionLimit: wanted[0].selfAttentionLimit,
      onBlock: { block, map in
        for taps in wanted where taps.blocks.contains(block.place) { taps.onBlock(block, map) }
      },
      onAttention: { layer, map in
        for taps in wanted where taps.attentionLayers.contains(layer.name) {
          taps.onAttention(layer, map)
        }
      })
  }
}
