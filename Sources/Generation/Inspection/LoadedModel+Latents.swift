package import Imaging
import LatentDiffusion
package import TensorCore

extension LoadedModel {
  /// The clean latents of pictures, times the autoencoder's scale [n, h, w, c]: the mean of their distribution.
  ///
  /// - Precondition: the pictures are RGB and of one size.
  package func latents(of images: [PixelImage]) -> Tensor {
    guard let first = images.first else { preconditionFailure("latents of no picture") }
    precondition(
      images.allSatisfy {
        $0.width == first.width && $0.height == first.height && $0.channels == .rgb
      }, "latents of pictures of several sizes")
    // As diffusers' image processor: to 0...1, then to −1...1, each in single precision.
    let values = images.flatMap { $0.samples.map { 2 * (Float($0) / 255) - 1 } }
    let pixels = Tensor(values, shape: [images.count, first.height, first.width, 3])
    return autoencoder.scaled(autoencoder.encode(pixels).mean)
  }
}
