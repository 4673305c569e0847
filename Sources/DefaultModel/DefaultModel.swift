/// The embedded checkpoint; its folder lies in the resources that the build puts beside the executable.
public enum DefaultModel {
  /// The target whose resources hold it.
  public static let target = "DefaultModel"
  /// Its folder below those resources.
  public static let folder = "Model"
  /// The weights of its grounding module below that; from the day they are there masks are read with them.
  public static let grounding = "grounding/weights.safetensors"
}
