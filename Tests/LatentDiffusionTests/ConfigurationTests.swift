import CanonicalJSON
import LatentDiffusion
import TestSupport
import Testing

/// What is read from configuration files, and what is refused with its key.
@Suite struct ConfigurationTests {
  private func edited(_ json: JSONValue, _ key: String, _ value: JSONValue) -> JSONValue {
    let others = (json.members ?? []).filter { $0.name != key }
    return .object(others + [.init(key, value)])
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "accepted"
    } catch {
      return "\(error)"
    }
  }

  private func unetMessage(_ key: String, _ value: JSONValue) throws -> String {
    let json = edited(try TinyModel.sd1.json("unet"), key, value)
    return message { _ = try UNetConfiguration(json, file: "unet/config.json") }
  }

  @Test func bothFormsOfHeadCountsAreRead() throws {
    let one = try UNetConfiguration(TinyModel.sd1.json("unet"), file: "config.json")
    #expect(one.headCounts == [2, 2, 2])
    #expect(one.downAttention == [true, true, false])
    #expect(one.upAttention == [false, true, true])
    #expect((one.timeWidth, one.groups, one.levelCount) == (32, 8, 3))
    let two = try UNetConfiguration(TinyModel.sd2.json("unet"), file: "config.json")
    #expect(two.headCounts == [1, 3])
    #expect(two.blockCounts == [2, 2])
  }

  @Test func stableDiffusionsDefaultsFillAnEmptyFile() throws {
    let configuration = try UNetConfiguration([:], file: "config.json")
    #expect(configuration.widths == [320, 640, 1280, 1280])
    #expect(configuration.headCounts == [8, 8, 8, 8])
    #expect(configuration.timeWidth == 1280)
    #expect(configuration.textWidth == 1280)
  }

  static let accepted: [(String, JSONValue)] = [
    ("upcast_attention", true), ("act_fn", "swish"), ("mid_block_scale_factor", 1.0),
    ("only_cross_attention", [false, false, false]), ("layers_per_block", [1, 1, 1]),
    ("transformer_layers_per_block", [1, 1, 1]), ("an_unknown_key", ["whatever"]),
    ("num_attention_heads", 4), ("sample_size", [16, 16]), ("cross_attention_dim", [32, 32, 32]),
    ("encoder_hid_dim", nil), ("dropout", 0.1),
  ]

  @Test(arguments: accepted)
  func harmlessSettingsAreAccepted(key: String, value: JSONValue) throws {
    #expect(try unetMessage(key, value) == "accepted")
  }

  static let refused: [(String, JSONValue)] = [
    ("_class_name", "UNet3DConditionModel"), ("down_block_types", ["AttnDownBlock2D"]),
    ("down_block_types", ["CrossAttnDownBlock2D", "AttnDownBlock2D", "DownBlock2D"]),
    ("up_block_types", ["UpBlock2D"]), ("mid_block_type", "UNetMidBlock2D"),
    ("mid_block_type", nil), ("act_fn", "gelu"), ("only_cross_attention", true),
    ("only_cross_attention", [true, false, false]), ("dual_cross_attention", true),
    ("class_embed_type", "timestep"), ("num_class_embeds", 1000),
    ("addition_embed_type", "text_time"), ("encoder_hid_dim", 768),
    ("resnet_time_scale_shift", "scale_shift"), ("time_embedding_type", "fourier"),
    ("conv_in_kernel", 5), ("conv_out_kernel", 1), ("mid_block_scale_factor", 1.5),
    ("block_out_channels", []), ("block_out_channels", [8, 0, 16]),
    ("block_out_channels", [-8, 16, 24]), ("block_out_channels", [8, 16, 1e300]),
    ("block_out_channels", 320), ("block_out_channels", [8, 16, 9_223_372_036_854_775_807]),
    ("block_out_channels", .array(Array(repeating: 8, count: 1000))),
    ("norm_num_groups", 0), ("norm_num_groups", 7), ("norm_num_groups", "eight"),
    ("attention_head_dim", 0), ("attention_head_dim", [2, 2]), ("attention_head_dim", 5),
    ("layers_per_block", 0), ("layers_per_block", 1_000_000), ("layers_per_block", [1, 2]),
    ("cross_attention_dim", [32, 32, 64]), ("cross_attention_dim", 4_000_000_000),
    ("norm_eps", 0), ("norm_eps", -1), ("freq_shift", 1e9), ("time_embedding_dim", 0),
    ("downsample_padding", 2), ("flip_sin_to_cos", "yes"), ("in_channels", 0),
    ("sample_size", 0), ("time_cond_proj_dim", 256), ("attention_type", "gated"),
  ]

  @Test(arguments: refused)
  func whatIsNotSupportedIsRefusedByKey(key: String, value: JSONValue) throws {
    let message = try unetMessage(key, value)
    #expect(message.hasPrefix("unet/config.json: \(key): found "), "\(message)")
    #expect(!message.contains("\n"))
  }

  @Test func somethingElseThanAnObjectIsRefused() {
    for json: JSONValue in [nil, [], 3, "text"] {
      #expect(throws: DiffusionError.self) { try UNetConfiguration(json, file: "a") }
      #expect(throws: DiffusionError.self) { try AutoencoderConfiguration(json, file: "a") }
      #expect(throws: DiffusionError.self) { try SchedulerConfiguration(json, file: "a") }
    }
  }

  @Test func autoencoderSettingsAreReadAndRefused() throws {
    let json = try TinyModel.sd1.json("vae")
    let configuration = try AutoencoderConfiguration(json, file: "vae/config.json")
    #expect(configuration.pixelsPerCell == 8)
    #expect((configuration.scale, configuration.shift) == (0.18215, 0))
    #expect(configuration.hasQuantConvolution && configuration.hasPostQuantConvolution)
    let shifted = edited(edited(json, "shift_factor", 0.1159), "use_quant_conv", false)
    let other = try AutoencoderConfiguration(shifted, file: "vae/config.json")
    #expect(other.shift == 0.1159 && !other.hasQuantConvolution)
    let refused: [(String, JSONValue)] = [
      ("_class_name", "VQModel"), ("down_block_types", ["AttnDownEncoderBlock2D"]),
      ("up_block_types", ["UpDecoderBlock2D"]), ("latents_mean", [0, 0, 0, 0]),
      ("scaling_factor", 0), ("norm_num_groups", 3), ("block_out_channels", [8]),
      ("latent_channels", 0), ("act_fn", "relu"), ("layers_per_block", -1),
    ]
    for (key, value) in refused {
      let message = message {
        _ = try AutoencoderConfiguration(edited(json, key, value), file: "vae/config.json")
      }
      #expect(message.hasPrefix("vae/config.json: "), "\(key): \(message)")
    }
  }

  @Test func aFoldersSchedulerIsTheOneItNamesUnlessAskedOtherwise() throws {
    let json = try TinyModel.sd1.json("scheduler", "scheduler_config.json")
    let configuration = try SchedulerConfiguration(json, file: "scheduler_config.json")
    #expect(try configuration.kind() == .pndm)
    #expect(try configuration.scheduler() is PNDMScheduler)
    let unknown = try SchedulerConfiguration(
      edited(json, "_class_name", "LCMScheduler"), file: "scheduler_config.json")
    #expect(
      message { _ = try unknown.scheduler() }.hasPrefix(
        "scheduler_config.json: _class_name: LCMScheduler is not supported; "
          + "choose another with --scheduler: ddim, pndm, dpm++2m, "))
    let scheduler = try #require(try configuration.scheduler(.ddim) as? DDIMScheduler)
    #expect(try scheduler.timesteps(stepCount: 5) == [801, 601, 401, 201, 1])
    #expect(!scheduler.configuration.endsAtOne)
    #expect(scheduler.configuration.clipRange == nil)
    let second = try TinyModel.sd2.scheduler()
    #expect((second as? DDIMScheduler)?.configuration.prediction == .velocity)
  }

  @Test func classesDifferInTheirDefaults() throws {
    let ddim = try SchedulerConfiguration(["_class_name": "DDIMScheduler"], file: "a")
    #expect(ddim.clipRange == 1 && ddim.endsAtOne && ddim.stepsOffset == 0)
    let other = try SchedulerConfiguration(["_class_name": "PNDMScheduler"], file: "a")
    #expect(other.clipRange == nil && !other.endsAtOne)
  }

  static let refusedSchedules: [(String, JSONValue)] = [
    ("_class_name", nil), ("beta_schedule", "sigmoid"), ("prediction_type", "flow"),
    ("timestep_spacing", "karras"), ("num_train_timesteps", 0),
    ("num_train_timesteps", 4_000_000_000), ("beta_start", -1), ("beta_end", 2),
    ("trained_betas", [0.1, 0.2]), ("trained_betas", []), ("trained_betas", ["a"]),
    ("steps_offset", -1), ("clip_sample_range", 0), ("clip_sample", "no"),
    ("dynamic_thresholding_ratio", 2), ("sample_max_value", -1),
  ]

  @Test(arguments: refusedSchedules)
  func badSchedulesAreRefusedByKey(key: String, value: JSONValue) throws {
    let json = edited(try TinyModel.sd2.json("scheduler", "scheduler_config.json"), key, value)
    let message = message { _ = try SchedulerConfiguration(json, file: "s.json") }
    #expect(message.hasPrefix("s.json: \(key): "), "\(message)")
  }
}
