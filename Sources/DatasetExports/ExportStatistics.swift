import Imaging

/// What an export holds, by category.
struct ExportStatistics {
  /// The counts of one category.
  struct Counts: Equatable {
    /// Pictures that show it, by split.
    var images = [Int](repeating: 0, count: DatasetSplit.allCases.count)
    /// Instances.
    var instances = 0
    /// Pixels.
    var pixels = 0
  }

  /// The counts, by category from 1.
  private(set) var categories: [Counts]
  /// Pictures without any instance.
  private(set) var emptyImages = 0
  /// The smallest and largest sides of pictures.
  private(set) var sides: ClosedRange<Int>?

  init(categories: Int) { self.categories = Array(repeating: Counts(), count: categories) }

  mutating func count(_ sample: ExportSample) {
    let instances = sample.instances.instances
    if instances.isEmpty { emptyImages += 1 }
    for instance in instances {
      categories[instance.category - 1].instances += 1
      categories[instance.category - 1].pixels += instance.area
    }
    for category in Set(instances.map(\.category)) {
      categories[category - 1].images[sample.split.place] += 1
    }
    let (least, most) = (
      min(sample.image.width, sample.image.height), max(sample.image.width, sample.image.height)
    )
    sides = min(sides?.lowerBound ?? least, least)...max(sides?.upperBound ?? most, most)
  }
}
