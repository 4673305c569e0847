import Checkpoints
import Foundation
import TensorCore
import TestSupport

func torchFixture(_ name: String) -> String { fixturePath("torch/" + name) }

/// Reads every tensor of a checkpoint in the way its type allows.
func readEverything(_ file: PickleFile) throws {
  for key in file.keys {
    guard let type = file.record(key)?.type, type.isComputable || type == .float64 else { continue }
    _ = try file.tensor(key)
  }
}
