public import TensorCore

/// What stands for a class in a picture's comparison: one embedding for each template; LSeg has a single template, the bare
/// label.
///
/// - Source: xb534/SED `sed_predictor.py` (`class_embeddings`).
public enum ClassText {
  /// The names of one thing that stand in a class's name, separated by ", ".
  public static func synonyms(_ name: String) -> [String] {
    var parts: [String] = []
    var rest = name[...]
    while let gap = rest.firstRange(of: ", ") {
      parts.append(String(rest[..<gap.lowerBound]))
      rest = rest[gap.upperBound...]
    }
    return parts + [String(rest)]
  }

  /// Embeddings of classes: each sentence's feature is brought to length 1; where a class has several names, their mean is
  /// taken for each template, and brought to length 1 again.
  ///
  /// - Parameters:
  ///   - features: [n, D] of the sentences, class by class, within it template by template, within that name by name; not
  ///     normalised.
  ///   - synonyms: how many names each class has.
  ///   - templates: P.
  /// - Returns: [T, P, D].
  /// - Precondition: n is P times the number of all names, and every class has one.
  public static func classEmbeddings(
    _ features: Tensor, synonyms: [Int], templates: Int
  ) -> Tensor {
    let (count, d) = (features.shape[0], features.lastDimension)
    precondition(
      features.rank == 2 && templates > 0 && synonyms.allSatisfy { $0 > 0 }
        && count == templates * synonyms.reduce(0, +),
      "class embeddings: \(features.shape) for \(synonyms) names in \(templates) templates")
    let lengths = unitVectors(features)
    let means = lengths.withUnsafeBuffer { x in
      Tensor(shape: [synonyms.count, templates, d]) { out in
        var (row, place) = (0, 0)
        for names in synonyms {
          for _ in 0..<templates {
            for k in 0..<d {
              var sum: Float = 0
              for name in 0..<names { sum += x[(row + name) * d + k] }
              out[place + k] = sum / Float(names)
            }
            row += names
            place += d
          }
        }
      }
    }
    return unitVectors(means)
  }
}
