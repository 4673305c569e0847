import CanonicalJSON
import TensorCore

/// What the pickle machine can hold.
///
/// Lists, tuples and dictionaries are numbers of nodes in the machine's table, so that no nesting in a file can nest
/// anything here; what is large lies apart, so that a million values are no more than 16 MB.
enum PickleValue {
  case none
  case flag(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  /// Bytes, which are passed over.
  case bytes
  case global(PickleGlobal)
  case node(Int)
  indirect case storage(PickleStorage)
  indirect case tensor(PickleTensor)
  /// Something that a class or function that is not read here would make: a number in the machine's table. Nothing is
  /// made and nothing run; where it stands for a part of the state, the file is refused.
  case opaque(Int)

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .flag: "a truth value"
    case .integer: "a whole number"
    case .number: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .global(let global): global.name
    case .node: "a container"
    case .storage: "a storage"
    case .tensor: "a tensor"
    case .opaque: "an object of a class that is not read here"
    }
  }
}

/// A class or function that is not read here, and where a pickle names it.
struct PickleOpaque {
  var name: String
  var position: Int

  /// Why a file is refused that needs it.
  var refusal: String {
    "data.pkl, byte \(position): names \(JSONError.excerpt(of: name)), which is not allowed: only tensors are read, "
      + "and nothing is run; save the bare tensors (state_dict) or convert the file to safetensors"
  }
}

/// The classes and functions that tensors are saved with; nothing is ever called.
enum PickleGlobal: Equatable {
  /// `collections.OrderedDict`: stands for an empty dictionary.
  case orderedDictionary
  /// `torch._utils._rebuild_tensor_v2`: a storage, an offset, a shape and strides.
  case tensor
  /// `torch._utils._rebuild_parameter`: the tensor inside.
  case parameter
  /// `torch.FloatStorage` and the like.
  case storage(ElementType)

  private static let storages: [String: ElementType] = [
    "torch.DoubleStorage": .float64, "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.LongStorage": .int64, "torch.IntStorage": .int32,
    "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]

  /// The one of this name; nil for all others.
  init?(_ name: String) {
    switch name {
    case "collections.OrderedDict": self = .orderedDictionary
    case "torch._utils._rebuild_tensor_v2": self = .tensor
    case "torch._utils._rebuild_parameter": self = .parameter
    default:
      guard let type = Self.storages[name] else { return nil }
      self = .storage(type)
    }
  }

  var name: String {
    switch self {
    case .orderedDictionary: "collections.OrderedDict"
    case .tensor: "torch._utils._rebuild_tensor_v2"
    case .parameter: "torch._utils._rebuild_parameter"
    case .storage(let type): "a storage class of \(type.rawValue)"
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
