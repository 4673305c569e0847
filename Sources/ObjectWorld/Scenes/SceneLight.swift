import Generation

/// How shadows fall in a scene; the same for all of its objects.
struct SceneLight {
  /// How far the soft shadow lies from its object, as shares of the picture's side.
  var offset: (x: Double, y: Double)
  /// How dark the soft shadow is, 0 to 1.
  var strength: Float
  /// How dark the shadow on the ground below an object is; nil where nothing stands on a ground.
  var contact: Float?

  /// Draws a light from somewhere above.
  static func draw(_ stream: inout ChoiceStream) -> SceneLight {
    SceneLight(
      offset: (stream.number(in: -0.02...0.02), stream.number(in: 0.006...0.025)),
      strength: Float(stream.number(in: 0.12...0.36)),
      contact: stream.next(below: 10) < 7 ? Float(stream.number(in: 0.25...0.6)) : nil)
  }
}
