/// Lists of names by number, as data sets pickle which pictures show which class; nothing in a pickle is run.
package enum PickledLists {
  /// Reads a bare pickle.
  ///
  /// - Parameters:
  ///   - bytes: the pickle.
  ///   - path: the file, for messages.
  /// - Returns: the names of each number, in the file's order.
  /// - Throws: ``CheckpointError`` where it holds anything but a dictionary of whole numbers to lists of texts.
  package static func read(_ bytes: [UInt8], path: String) throws -> [Int: [String]] {
    var machine = PickleMachine(bytes) { _ in nil }
    func refusal(_ message: String) -> CheckpointError {
      CheckpointError(.malformed, file: path, message)
    }
    let value: PickleValue
    do {
      value = try machine.run()
    } catch let fault as PickleMachine.Fault {
      throw refusal("byte \(fault.position): \(fault.message)")
    }
    guard let members = machine.members(value) else {
      throw refusal("holds \(value.kind), expected a dictionary of lists of names")
    }
    var lists: [Int: [String]] = [:]
    for member in members {
      guard case .integer(let key) = member.key, let number = Int(exactly: key),
        let elements = machine.elements(member.value)
      else { throw refusal("holds what is no number with a list of names") }
      lists[number] = try elements.map { element in
        guard case .string(let name) = element else {
          throw refusal("the list of \(number) holds \(element.kind), expected names")
        }
        return name
      }
    }
    return lists
  }
}
