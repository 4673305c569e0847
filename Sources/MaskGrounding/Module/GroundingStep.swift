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

  /// The calls of a run that are read, from 0, ascending.
  ///
  /// - Parameters:
  ///   - reads: the calls that are wanted.
  ///   - timesteps: of all calls of the run, in order.
  /// - Returns: their places in the run.
  package static func calls(_ reads: [GroundingStep], of timesteps: [Int]) -> [Int] {
    var seen: Set<GroundingStep> = []
    return timesteps.indices.filter { step in
      let matching = reads.filter {
        $0.matches(
          step: step, timestep: timesteps[step], stepCount: timesteps.count,
          wasSeen: seen.contains($0))
      }
      seen.formUnion(matching)
      return !matching.isEmpty
    }
  }
}
