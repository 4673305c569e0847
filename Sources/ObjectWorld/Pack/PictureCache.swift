import Synchronization

/// Pictures that were read lately, within a limit.
final class PictureCache: Sendable {
  private struct State {
    var pictures: [Int: (picture: PicturePyramid, lastUse: Int)] = [:]
    var bytes = 0
    var clock = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// The picture with a number, read where it is not kept; two threads may read the same one at once.
  func picture(_ number: Int, read: () throws -> PicturePyramid) rethrows -> PicturePyramid {
    let known = state.withLock { state -> PicturePyramid? in
      state.clock += 1
      state.pictures[number]?.lastUse = state.clock
      return state.pictures[number]?.picture
    }
    if let known { return known }
    let picture = try read()
    state.withLock { state in
      guard state.pictures[number] == nil, picture.byteCount <= limit else { return }
      if state.bytes + picture.byteCount > limit { Self.makeRoom(&state, limit: limit) }
      guard state.bytes + picture.byteCount <= limit else { return }
      state.pictures[number] = (picture, state.clock)
      state.bytes += picture.byteCount
    }
    return picture
  }

  /// Gives up what was not used for longest, a quarter of the limit at once.
  private static func makeRoom(_ state: inout State, limit: Int) {
    let oldestFirst = state.pictures.sorted { $0.value.lastUse < $1.value.lastUse }
    for (number, kept) in oldestFirst where state.bytes > limit / 4 * 3 {
      state.pictures[number] = nil
      state.bytes -= kept.picture.byteCount
    }
  }
}
