import Checkpoints

/// What a single file says of itself beside its tensors' shapes.
struct SingleFileEvidence: Sendable {
  /// Something said, and by what.
  struct Finding: Sendable {
    /// What.
    var value: SingleFileOptions.Prediction
    /// The key that says it.
    var source: String
  }

  /// What the denoiser predicts; nil where nothing tells.
  private(set) var prediction: Finding?
  /// Whether the last training step was made pure noise.
  let hasZeroSNR: Bool
  /// The side of the pictures it was made for, in pixels.
  private(set) var side: Int?
  /// The licence.
  private(set) var licence: String?

  /// Looks at safetensors metadata (the ModelSpec keys), marks among the tensors, and a training's step count.
  ///
  /// - Source: Stability-AI ModelSpec; ComfyUI and kohya-ss sd-scripts, which write it; diffusers
  ///   `convert_from_ckpt.py` for the steps of the published 2.x checkpoints.
  init(_ source: any WeightSource) {
    hasZeroSNR = source.record("ztsnr") != nil
    if source.record("v_pred") != nil { prediction = Finding(value: .velocity, source: "v_pred") }
    if let metadata = (source as? SafetensorsFile)?.metadata { read(metadata) }
    guard prediction == nil, let step = (source as? PickleFile)?.numbers["global_step"] else {
      return
    }
    switch step {
    case 875_000: prediction = Finding(value: .noise, source: "global_step \(step)")
    case 110_000: prediction = Finding(value: .velocity, source: "global_step \(step)")
    default: break
    }
  }

  private mutating func read(_ metadata: [String: String]) {
    for key in ["modelspec.predict_key", "modelspec.prediction_type", "modelspec.architecture"]
    where prediction == nil {
      let value: SingleFileOptions.Prediction? =
        switch metadata[key]?.lowercased() {
        case "epsilon", "stable-diffusion-v1", "stable-diffusion-v2-512": .noise
        case "v", "v_prediction", "stable-diffusion-v2-768-v": .velocity
        default: nil
        }
      prediction = value.map { Finding(value: $0, source: key) }
    }
    let sides = metadata["modelspec.resolution"]?.split(separator: "x").map { Int($0) }
    if let sides, sides.count == 2, let first = sides[0], first == sides[1],
      SamplingSettings.sideLimit >= first, first >= 8
    {
      side = first
    }
    if let text = metadata["modelspec.license"], !text.isEmpty { licence = text }
  }
}
