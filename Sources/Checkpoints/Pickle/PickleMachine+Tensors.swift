import TensorCore

extension PickleMachine {
  /// A view of a storage, from the arguments that `_rebuild_tensor_v2` would get.
  func rebuiltTensor(_ arguments: [PickleValue]) throws -> PickleTensor {
    guard 6...7 ~= arguments.count, case .storage(let storage) = arguments[0],
      case .integer(let offset) = arguments[1], let offset = Int(exactly: offset),
      let shape = try lengths(arguments[2]), let strides = try lengths(arguments[3])
    else { throw fault("a tensor is not made from storage, offset, shape and strides") }
    guard shape.count == strides.count, shape.count <= Self.axisLimit else {
      throw fault(
        "a tensor of \(shape.count) axes with \(strides.count) strides, at most \(Self.axisLimit) axes are read"
      )
    }
    let outside =
      "shape \(shape), strides \(strides), offset \(offset) lies outside its storage of \(storage.count) elements"
    guard offset >= 0, offset <= storage.count else { throw fault(outside) }
    // The index of the last element, and how many there are: both must fit the storage.
    var (last, count, isEmpty) = (offset, 1, false)
    for (length, stride) in zip(shape, strides) {
      guard length > 0 else {
        isEmpty = true
        continue
      }
      let (reach, first) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, second) = last.addingReportingOverflow(reach)
      let (product, third) = count.multipliedReportingOverflow(by: length)
      guard !first, !second, !third else { throw fault(outside) }
      (last, count) = (sum, product)
    }
    guard isEmpty || (last < storage.count && count <= storage.count) else { throw fault(outside) }
    return PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  private func lengths(_ value: PickleValue) throws -> [Int]? {
    try tuple(value)?.map { element in
      guard case .integer(let number) = element, let length = Int(exactly: number), length >= 0
      else { throw fault("a shape or stride holds \(element.kind), expected numbers from 0") }
      return length
    }
  }
}
