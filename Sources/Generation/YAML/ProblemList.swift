/// What is wrong with a file that people wrote: the first problem ends a run, all of them are a check's answer.
struct ProblemList {
  private(set) var problems: [GenerationError] = []

  var isEmpty: Bool { problems.isEmpty }

  /// The value of `body`; nil, and one problem more, where it throws a ``GenerationError``.
  ///
  /// - Throws: any other error of `body`.
  mutating func attempt<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
      return try body()
    } catch let problem as GenerationError {
      problems.append(problem)
      return nil
    }
  }

  /// Notes a problem.
  mutating func note(_ problem: GenerationError) { problems.append(problem) }

  /// Ends what cannot go on.
  ///
  /// - Throws: the first problem, where there is one.
  func throwFirst() throws {
    if let first = problems.first { throw first }
  }
}
