/// How SED's decoder runs.
public struct SEDOptions: Sendable, Equatable {
  /// Category early rejection, if any.
  ///
  /// Before each stage only those classes stay that are among so many best ones at some position. The authors recommend 8.
  public var rejection: Int?
  /// Positions along a side that classes are averaged over before they look at each other: 1 as the authors evaluate, 2 as
  /// they train.
  public var pooling: Int
  /// Classes that are computed together; nil chooses.
  ///
  /// No result depends on it, memory does.
  public var classChunk: Int?
  /// Whether the logits of the three auxiliary heads are wanted.
  public var auxiliaryLogits: Bool
  /// The classes that enter each stage, dictated instead of chosen: for comparisons with the published code.
  package var dictatedSurvivors: [[Int]]?

  /// Chooses.
  ///
  /// - Precondition: `rejection` and `classChunk` are positive, `pooling` is 1 or 2.
  public init(
    rejection: Int? = nil, pooling: Int = 1, classChunk: Int? = nil, auxiliaryLogits: Bool = false
  ) {
    precondition(
      rejection ?? 1 >= 1 && classChunk ?? 1 >= 1 && 1...2 ~= pooling,
      "SED: rejection \(rejection ?? 1), pooling \(pooling), class chunk \(classChunk ?? 1)")
    self.rejection = rejection
    self.pooling = pooling
    self.classChunk = classChunk
    self.auxiliaryLogits = auxiliaryLogits
  }

  /// What settings say of the decoder.
  init(_ settings: SegmenterSettings) {
    self.init(
      rejection: settings.rejection, pooling: settings.pooling, classChunk: settings.classChunk)
  }

  /// Whether classes are dropped on the way.
  var rejects: Bool { rejection != nil || dictatedSurvivors != nil }
}
