/// Which part of a pack scenes are made of.
public enum WorldSubset: String, Sendable, CaseIterable {
  /// What is not held out.
  case train
  /// What is held out, and nothing else.
  case test
  /// Places that are held out, with things of categories that have nothing held out: known pictures in new scenes.
  case newScenes = "new-scenes"

  /// Whether a cut-out is part of it.
  func takes(_ cutout: WorldPack.Cutout, of pack: WorldPack) -> Bool {
    switch self {
    case .train: !cutout.isHeldOut
    case .test: cutout.isHeldOut
    case .newScenes: !pack.heldOutCategories.contains(cutout.category)
    }
  }
}
