/// A call of the U-Net, told by where it stands in a run.
public enum GroundingStep: Sendable, Hashable {
  /// So many calls before the last, which is 0; the first one where there are fewer.
  case fromEnd(Int)
  /// The call at this timestep; the last one where the run has none.
  case timestep(Int)

  /// Whether a call is the one.
  ///
  /// - Parameters:
  ///   - step: the call, from 0.
  ///   - timestep: its timestep.
  ///   - stepCount: the number of calls.
  ///   - wasSeen: whether an earlier call was the one.
  /// - Returns: whether to read it.
  package func matches(step: Int, timestep: Int, stepCount: Int, wasSeen: Bool) -> Bool {
    switch self {
    case .fromEnd(let count): step == max(0, stepCount - 1 - count)
    case .timestep(let wanted): !wasSeen && (timestep == wanted || step == stepCount - 1)
    }
  }
}
