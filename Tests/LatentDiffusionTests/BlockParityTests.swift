import LatentDiffusion
import TensorCore
import TestSupport
import Testing

/// The U-Net's blocks against diffusers (Tests/Fixtures/diffusion/generate_networks.py).
@Suite struct BlockParityTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture("diffusion/blocks.safetensors") }

  @Test(arguments: [("residual-same", 16), ("residual-wider", 24), ("residual-narrower", 8)])
  func residualBlockAgrees(name: String, outputs: Int) throws {
    let block = try ResidualBlock(
      fixture.weights("\(name)."), inputs: 16, outputs: outputs, timeWidth: 20, groups: 8,
      epsilon: 1e-5)
    // The block takes the SiLU of the time, which the reference applies itself.
    let found = block(try fixture.map("x"), time: silu(try fixture.tensor("time")))
    #expect(Difference(found, try fixture.map("\(name).out")).keeps(within: .layer, name))
  }

  @Test func residualBlockWithoutTimeAgrees() throws {
    let block = try ResidualBlock(
      fixture.weights("residual-timeless."), inputs: 16, outputs: 16, groups: 4, epsilon: 1e-6)
    let expected = try fixture.map("residual-timeless.out")
    #expect(
      Difference(block(try fixture.map("x")), expected).keeps(within: .layer, "residual-timeless"))
  }

  @Test func transformerBlockAgrees() throws {
    let block = try TransformerBlock(
      fixture.weights("transformer-block."), width: 16, textWidth: 12, heads: 4, level: 0)
    let text = block.project(text: try fixture.tensor("text"))
    let found = block(try fixture.tensor("tokens"), text: text)
    let expected = try fixture.tensor("transformer-block.out")
    #expect(Difference(found, expected).keeps(within: .layer, "transformer-block"))
  }

  @Test(arguments: [("spatial-conv", 1), ("spatial-linear", 2)])
  func spatialTransformerAgrees(name: String, blockCount: Int) throws {
    let transformer = try SpatialTransformer(
      fixture.weights("\(name)."), channels: 16, textWidth: 12, heads: 2, blockCount: blockCount,
      groups: 8, level: 0)
    let found = transformer(
      try fixture.map("x"), text: transformer.project(text: try fixture.tensor("text")))
    #expect(Difference(found, try fixture.map("\(name).out")).keeps(within: .layer, name))
  }
}
