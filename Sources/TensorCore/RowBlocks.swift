/// The rows of some groups in blocks of fixed size, so that what is summed block by block does not depend on the thread
/// count.
struct RowBlocks {
  /// How many groups there are: the samples of a feature map, for example.
  let groups: Int
  /// Rows of a group: the pixels of a sample.
  let rows: Int
  /// Rows of a block; the last one of a group may have fewer.
  let size: Int

  /// Blocks of a group, at least one.
  var perGroup: Int { max((rows + size - 1) / size, 1) }

  /// Blocks of all groups.
  var count: Int { groups * perGroup }

  /// Calls `body` with each block: its number, its group, its first row there and how many it has.
  func forEach(_ body: (_ block: Int, _ group: Int, _ first: Int, _ count: Int) -> Void) {
    let perGroup = perGroup
    Parallel.forEach(groups * perGroup) { block, _ in
      let first = block % perGroup * size
      body(block, block / perGroup, first, min(size, rows - first))
    }
  }
}
