import TensorCore

/// The classes that some entities are of, in the order of their first entity.
struct EntityClasses {
  /// Their ids.
  private(set) var ids: [UInt16] = []
  /// How sure it is that each is in the picture; never not a number.
  private(set) var presence: [Float] = []
  /// Which class each entity is of.
  private(set) var classOfEntity: [Int] = []

  init(_ entities: [Entity], presence: [Float]) {
    var places: [Int: Int] = [:]
    for (entity, value) in zip(entities, presence) {
      precondition((1...65534).contains(entity.classID), "class id \(entity.classID)")
      let known = value.isNaN ? 0 : min(max(value, 0), 1)
      if let place = places[entity.classID] {
        self.presence[place] = max(self.presence[place], known)
        classOfEntity.append(place)
      } else {
        places[entity.classID] = ids.count
        classOfEntity.append(ids.count)
        ids.append(UInt16(entity.classID))
        self.presence.append(known)
      }
    }
  }

  /// Each class's probability [classes, H, W] at another size, in 0...1.
  func probabilities(_ maps: Tensor, width: Int, height: Int) -> Tensor {
    let (_, h, w) = maps.dimensions3("maps")
    let (small, large) = (h * w, height * width)
    return Tensor(shape: [ids.count, height, width]) { out in
      var merged = [Float](repeating: 0, count: small)
      for index in ids.indices {
        for place in merged.indices { merged[place] = 0 }
        maps.withUnsafeBuffer { values in
          for (entity, entityClass) in classOfEntity.enumerated() where entityClass == index {
            for place in 0..<small {
              // The comparison is false for what is not a number.
              let value = values[entity * small + place]
              if value > merged[place] { merged[place] = min(value, 1) }
            }
          }
        }
        let target = UnsafeMutableBufferPointer(rebasing: out[index * large..<(index + 1) * large])
        merged.withUnsafeBufferPointer { from in
          MapResampling(.bilinear).resize(from, h, w, into: target, height, width)
        }
        for place in target.indices { target[place] = min(target[place], 1) }
      }
    }
  }

  /// The classes' maps once for each entity.
  func spread(_ maps: Tensor) -> Tensor {
    guard classOfEntity.count > ids.count else { return maps }
    return joinedRows(classOfEntity.map { maps.rows($0..<$0 + 1) })
  }
}
