/// Something in a data set that cannot be taken as it is: it is left out, and the rest is read on.
public struct ImportFault: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, and where in it.
  public let place: String
  /// What was found, and what was expected.
  public let problem: String

  /// Describes a fault.
  public init(_ place: String, _ problem: String) {
    self.place = place
    self.problem = problem
  }

  /// One line for people.
  public var description: String { "\(place): \(problem)" }
}
