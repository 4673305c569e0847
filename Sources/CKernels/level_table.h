// The table of one level, made of what the other level files defined.
static const ck_table table = {
    .name = CK_LEVEL_NAME,
    .vector_floats = V,
    .tile_rows = MR,
    .panel_columns = NR,
    .multiply = multiply,
    .peak = peak,
#ifdef CK_WINOGRAD
    .multiply_winograd = multiply_winograd,
#endif
#ifdef CK_BFLOAT16
    .multiply_bfloat16 = multiply_bfloat16,
    .attention_pack_bfloat16 = attention_pack_bfloat16,
    .attention_attend_bfloat16 = attention_attend_bfloat16,
    .peak_bfloat16 = bfloat16_peak,
    .rows_together = rows_together,
#endif
    .attention_pack = attention_pack,
    .attention_attend = attention_attend,
    .attention_average = attention_average,
    .channel_moments = channel_moments,
    .channel_affine = channel_affine,
    .layer_norm = layer_norm,
    .convolve_depthwise = convolve_depthwise,
    .linear_attention_sums = linear_attention_sums,
    .linear_attention_read = linear_attention_read,
    .activate = activate,
    .geglu = geglu,
    .combine = combine,
    .bilinear_row = bilinear_row,
};
