import CanonicalJSON

extension SchedulerConfiguration {
  /// The schedulers there are, by the names the command line and records have for them.
  ///
  /// A name says how a step is made and how noise levels are spread; the configuration says the rest.
  public enum Kind: String, Sendable, CaseIterable {
    /// Denoising diffusion implicit models.
    case ddim
    /// Pseudo numerical methods: linear multistep, with or without Runge–Kutta steps before.
    case pndm
    /// DPM-Solver++ of second order over two model calls.
    case dpmSolver = "dpm++2m"
    /// The same over the noise levels of Karras and others.
    case dpmSolverKarras = "dpm++2m-karras"
    /// DPM-Solver++ of second order for the stochastic equation: noise is drawn at every step.
    case dpmSolverSDE = "dpm++2m-sde"
    /// The same over the noise levels of Karras and others.
    case dpmSolverSDEKarras = "dpm++2m-sde-karras"
    /// Euler's method.
    case euler
    /// The same over the noise levels of Karras and others.
    case eulerKarras = "euler-karras"
    /// Euler's method with noise drawn at every step.
    case eulerAncestral = "euler-ancestral"
    /// DDIM the other way, from clean latents to noise; see ``DDIMInversion``.
    case ddimInverse = "ddim-inverse"

    /// Those that make samples of noise.
    public static let samplers = allCases.filter(\.makesSamples)

    /// Whether it goes from noise to samples.
    public var makesSamples: Bool { self != .ddimInverse }

    /// The class in diffusers.
    public var className: String {
      switch self {
      case .ddim: "DDIMScheduler"
      case .pndm: "PNDMScheduler"
      case .dpmSolver, .dpmSolverKarras, .dpmSolverSDE, .dpmSolverSDEKarras:
        "DPMSolverMultistepScheduler"
      case .euler, .eulerKarras: "EulerDiscreteScheduler"
      case .eulerAncestral: "EulerAncestralDiscreteScheduler"
      case .ddimInverse: "DDIMInverseScheduler"
      }
    }

    /// Whether the end of a run has no noise where the file does not say.
    var usuallyEndsAtOne: Bool { self == .ddim || self == .ddimInverse }

    /// Whether noise levels are spread as Karras and others do.
    var usesKarrasLevels: Bool {
      switch self {
      case .dpmSolverKarras, .dpmSolverSDEKarras, .eulerKarras: true
      case .ddim, .ddimInverse, .pndm, .dpmSolver, .dpmSolverSDE, .euler, .eulerAncestral: false
      }
    }
  }

  /// The kinds of the algorithm of a multistep DPM-Solver.
  private enum Algorithm: String, CaseIterable {
    case ordinary = "dpmsolver++"
    case stochastic = "sde-dpmsolver++"
  }

  /// The kind of scheduler the file names.
  ///
  /// - Throws: ``DiffusionError`` where it names a class or an algorithm that is not supported.
  public func kind() throws -> Kind {
    switch className {
    case Kind.ddim.className: return .ddim
    case Kind.ddimInverse.className: return .ddimInverse
    case Kind.pndm.className: return .pndm
    case Kind.eulerAncestral.className: return .eulerAncestral
    case Kind.euler.className: return try isKarras ? .eulerKarras : .euler
    case Kind.dpmSolver.className:
      try reader.require("solver_order", 2)
      switch try reader.choice("algorithm_type", default: Algorithm.ordinary) {
      case .ordinary: return try isKarras ? .dpmSolverKarras : .dpmSolver
      case .stochastic: return try isKarras ? .dpmSolverSDEKarras : .dpmSolverSDE
      }
    default:
      let names = Kind.samplers.map(\.rawValue).joined(separator: ", ")
      throw DiffusionError(
        .unsupported, file, key: "_class_name",
        "\(className.prefix(60)) is not supported; choose another with --scheduler: \(names)")
    }
  }

  private var isKarras: Bool {
    get throws { try reader.flag("use_karras_sigmas", default: false) }
  }

  /// The scheduler the file names, or the one asked for, with all that the file says and that one knows.
  ///
  /// - Throws: ``DiffusionError`` where the file names a class that is not supported or holds a value that the
  ///   scheduler does not have.
  public func scheduler(_ kind: Kind? = nil) throws -> any Scheduler {
    let kind = try kind ?? self.kind()
    let own = adapted(to: kind)
    switch kind {
    case .ddim: return try DDIMScheduler(own)
    case .ddimInverse: return try DDIMInversion(own)
    case .pndm: return try PNDMScheduler(own)
    case .euler, .eulerKarras, .eulerAncestral: return try EulerScheduler(own, kind: kind)
    case .dpmSolver, .dpmSolverKarras, .dpmSolverSDE, .dpmSolverSDEKarras:
      return try DPMSolverScheduler(own, kind: kind)
    }
  }

  /// The configuration with what the file leaves open filled as the asked scheduler's class does.
  func adapted(to kind: Kind) -> SchedulerConfiguration {
    guard kind.className != className else { return self }
    var own = self
    if reader.value("timestep_spacing") == nil { own.spacing = Self.usualSpacing(kind.className) }
    if reader.value("set_alpha_to_one") == nil { own.endsAtOne = kind.usuallyEndsAtOne }
    return own
  }

  /// How a class spreads its steps where the file does not say.
  static func usualSpacing(_ className: String) -> Spacing {
    switch className {
    case Kind.euler.className, Kind.eulerAncestral.className, Kind.dpmSolver.className: .linspace
    default: .leading
    }
  }
}
