import TensorCore

/// What the pickle machine can hold. Lists, tuples and dictionaries are numbers of nodes in the machine's table, so
/// that no nesting in a file can nest anything here.
enum PickleValue {
  case none
  case flag(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case global(PickleGlobal)
  case node(Int)
  case storage(PickleStorage)
  case tensor(PickleTensor)

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .flag: "a truth value"
    case .integer: "a whole number"
    case .number: "a number"
    case .string: "a string"
    case .global(let global): global.name
    case .node: "a container"
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }
}

/// The classes and functions a checkpoint may name; nothing is ever called.
enum PickleGlobal: Equatable {
  /// `collections.OrderedDict`: stands for an empty dictionary.
  case orderedDictionary
  /// `torch._utils._rebuild_tensor_v2`: a storage, an offset, a shape and strides.
  case tensor
  /// `torch._utils._rebuild_parameter`: the tensor inside.
  case parameter
  /// `torch.FloatStorage` and the like.
  case storage(ElementType)
  /// A class that may stand in the file as a name and no more: Lightning keys what its callbacks remember by it.
  case bystander(String)

  private static let storages: [String: ElementType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]
  private static let bystanders: Set<String> = [
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"
  ]

  /// The one of this name; nil for all others.
  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .orderedDictionary
    case "torch._utils._rebuild_tensor_v2": self = .tensor
    case "torch._utils._rebuild_parameter": self = .parameter
    default:
      if let type = Self.storages[name] {
        self = .storage(type)
      } else if Self.bystanders.contains(name) {
        self = .bystander(name)
      } else {
        return nil
      }
    }
  }

  var name: String {
    switch self {
    case .orderedDictionary: "collections.OrderedDict"
    case .tensor: "torch._utils._rebuild_tensor_v2"
    case .parameter: "torch._utils._rebuild_parameter"
    case .storage(let type): "a storage class of \(type.rawValue)"
    case .bystander(let name): name
    }
  }
}

/// Elements in an entry of the archive.
struct PickleStorage {
  var type: ElementType
  /// The first byte in the file.
  var start: Int
  /// The number of elements.
  var count: Int
}

/// A view of a storage, checked to lie within it.
struct PickleTensor {
  var storage: PickleStorage
  /// Elements before the first.
  var offset: Int
  var shape: [Int]
  var strides: [Int]

  var count: Int { shape.reduce(1, *) }

  /// Whether the elements lie one after another in row-major order.
  var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      guard stride == expected else { return false }
      expected *= length
    }
    return true
  }
}
