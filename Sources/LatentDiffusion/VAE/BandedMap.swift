import NeuralLayers
import TensorCore

/// The feature map of one sample in bands of rows, of which a layer lets go one by one while it makes the next map.
///
/// What the layers do to a band has the bytes of what they do to the whole map: a convolution is given the rows
/// beyond the band that its kernel reaches, and a group norm takes its moments over all bands.
struct BandedMap {
  /// A band on its way through a layer.
  struct Window {
    /// The band [h, W, C].
    var own: Tensor
    /// The row above it, the band and the row below it, as far as the layer reaches and the map goes.
    var parts: [Tensor]
    /// Its number, from the top.
    var index: Int
    /// Whether it begins with the map's first row.
    var isFirst: Bool
    /// Whether it ends with the map's last row.
    var isLast: Bool

    /// The parts in one piece [h', W, C].
    var rows: Tensor { parts.count == 1 ? parts[0] : joinedRows(parts) }
  }

  /// The bands [hᵢ, W, C] from the top.
  private(set) var bands: [Tensor]

  /// Cuts a map.
  ///
  /// - Parameters:
  ///   - map: one sample [1, H, W, C].
  ///   - height: rows of every band but the last.
  ///   - unit: rows that stay together; the last band has one whole unit at least and takes what is left over.
  init(_ map: Tensor, height: Int, unit: Int = 1) {
    let (n, h, w, c) = map.dimensions4("BandedMap")
    precondition(
      n == 1 && h > 0 && height > 0 && height % unit == 0,
      "BandedMap: \(map.shape) in bands of \(height) rows, \(unit) together")
    let rows = map.reshaped([h, w, c])
    let starts = Array(stride(from: 0, to: max(1, h / unit * unit), by: height))
    bands = zip(starts, starts.dropFirst() + [h]).map { rows.rows($0..<$1) }
  }

  /// The map in one piece [1, H, W, C].
  var whole: Tensor {
    let rows = bands.count == 1 ? bands[0] : joinedRows(bands)
    return rows.reshaped([1] + rows.shape)
  }

  /// Gives unused memory back before the next layer, where there are bands.
  func trimPool() {
    if bands.count > 1 { BufferPool.shared.trim(above: AutoencoderTiling.keptBytes) }
  }

  /// Puts what a layer makes of each band in its place, from the top; none is kept longer than the layer needs it.
  ///
  /// - Parameters:
  ///   - reachesAbove: whether the layer reads the row above a band; below it always does.
  ///   - layer: makes the new band [h', W', C'].
  mutating func replaceEach(reachesAbove: Bool = true, _ layer: (Window) -> Tensor) {
    var above: Tensor?
    for index in bands.indices {
      let own = bands[index]
      let isLast = index == bands.count - 1
      let below = isLast ? nil : bands[index + 1].rows(0..<1)
      bands[index] = layer(
        Window(
          own: own, parts: [above, own, below].compactMap(\.self), index: index,
          isFirst: index == 0, isLast: isLast))
      above = reachesAbove ? own.rows(own.shape[0] - 1..<own.shape[0]) : nil
    }
  }

  /// Lets go of a band, which is not asked for again.
  mutating func drop(_ index: Int) { bands[index] = Tensor(shape: [0, 0, 0]) { _ in } }
}

extension ResidualBlock {
  /// Applies a block without a timestep.
  func apply(to map: inout BandedMap) {
    map.trimPool()
    var hidden = map
    let factors1 = norm1.factors(of: map.bands)
    hidden.replaceEach { window in
      conv1(
        rows: norm1(window.parts, factors: factors1, thenSiLU: true), isFirst: window.isFirst,
        isLast: window.isLast)
    }
    let factors2 = norm2.factors(of: hidden.bands)
    hidden.replaceEach { window in
      let x = map.bands[window.index]
      map.drop(window.index)
      return conv2(
        rows: norm2(window.parts, factors: factors2, thenSiLU: true), isFirst: window.isFirst,
        isLast: window.isLast, adding: shortcut?(x) ?? x)
    }
    map = hidden
  }
}
