// Convolutions of 3×3 taps by Winograd's F(4×4, 3×3): 36 products for 16 pixels instead of 144.
//
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015). Tiles of 6×6 input pixels and the
// kernels are taken at the points 0, ±1/√2, ±√2 and ∞ along both axes, multiplied point by point, and interpolated to
// 4×4 output pixels. These points, unlike the usual 0, ±1, ±2 and ∞, lose nothing against direct products in single
// precision. Kernels are transformed from their usual packing as they are needed: reading a quarter of the bytes pays for it.

enum { WINOGRAD_SPAN = CK_WINOGRAD_SIDE + 2, WINOGRAD_TAPS = 3 };

static const float root_half = 0.70710678118654752f, root_two = 1.41421356237309505f;

/// Where a tile lies: its sample and its first output pixel. Tiles are counted from every sample's first row, so that
/// none depends on its batch.
typedef struct {
  size_t sample, y, x;
} winograd_place;

INLINE winograd_place winograd_place_of(const ck_product *p, size_t tile) {
  const size_t wide = (p->out_width + CK_WINOGRAD_SIDE - 1) / CK_WINOGRAD_SIDE;
  const size_t area = (p->out_height + CK_WINOGRAD_SIDE - 1) / CK_WINOGRAD_SIDE * wide;
  return (winograd_place){tile / area, tile % area / wide * CK_WINOGRAD_SIDE, tile % wide * CK_WINOGRAD_SIDE};
}

/// Six pixels of a line at the six points.
INLINE void winograd_sample(const vfloat *d, vfloat *out) {
  const vfloat even = vmuladd(vsplat(-2.0f), d[2], d[4]), odd = root_half * vmuladd(vsplat(-2.0f), d[1], d[3]);
  const vfloat far_even = vmuladd(vsplat(-0.5f), d[2], d[4]), far_odd = root_two * vmuladd(vsplat(-0.5f), d[1], d[3]);
  out[0] = vmuladd(vsplat(-2.5f), d[2], d[0] + d[4]);
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = far_even + far_odd;
  out[4] = far_even - far_odd;
  out[5] = vmuladd(vsplat(-2.5f), d[3], d[1] + d[5]);
}

/// Three taps of a line at the six points.
INLINE void winograd_spread(const vfloat *g, vfloat *out) {
  const vfloat even = (-2.0f / 3) * vmuladd(vsplat(0.5f), g[2], g[0]), odd = (-2.0f / 3 * root_half) * g[1];
  const vfloat far_even = (1.0f / 6) * vmuladd(vsplat(2.0f), g[2], g[0]), far_odd = (1.0f / 6 * root_two) * g[1];
  out[0] = g[0];
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = far_even + far_odd;
  out[4] = far_even - far_odd;
  out[5] = g[2];
}

/// Six points of a line to four output pixels.
INLINE void winograd_gather(const vfloat *m, vfloat *out) {
  const vfloat even = m[1] + m[2], odd = root_half * (m[1] - m[2]);
  const vfloat far_even = m[3] + m[4], far_odd = root_two * (m[3] - m[4]);
  out[0] = m[0] + even + far_even;
  out[1] = odd + far_odd;
  out[2] = vmuladd(vsplat(2.0f), far_even, 0.5f * even);
  out[3] = vmuladd(vsplat(2.0f), far_odd, vmuladd(vsplat(0.5f), odd, m[5]));
}

/// Channels `k0 ..< k0 + depth` of `count` tiles at all points: `to` [points][CK_WINOGRAD_TILES][CK_WINOGRAD_ROW_STRIDE].
static void winograd_tiles(const ck_product *p, size_t tile, size_t count, size_t k0, size_t depth, float *to) {
  static const float zeros[CK_WINOGRAD_DEPTH];
  const ptrdiff_t height = (ptrdiff_t)(p->height * p->enlargement), width = (ptrdiff_t)(p->width * p->enlargement);
  const size_t point_stride = CK_WINOGRAD_TILES * CK_WINOGRAD_ROW_STRIDE;
  for (size_t i = 0; i < count; i++, to += CK_WINOGRAD_ROW_STRIDE) {
    const winograd_place place = winograd_place_of(p, tile + i);
    const float *image = p->input + place.sample * p->height * p->width * p->channels + k0;
    const float *pixels[WINOGRAD_SPAN][WINOGRAD_SPAN];
    for (size_t y = 0; y < WINOGRAD_SPAN; y++)
      for (size_t x = 0; x < WINOGRAD_SPAN; x++) {
        const ptrdiff_t row = (ptrdiff_t)(place.y + y) - (ptrdiff_t)p->pad_top;
        const ptrdiff_t column = (ptrdiff_t)(place.x + x) - (ptrdiff_t)p->pad_left;
        const int inside = row >= 0 && row < height && column >= 0 && column < width;
        pixels[y][x] =
            inside ? image + ((size_t)row / p->enlargement * p->width + (size_t)column / p->enlargement) * p->channels : zeros;
      }
    for (size_t c = 0; c < depth; c += V) {
      vfloat half[WINOGRAD_SPAN][WINOGRAD_SPAN];
      for (size_t y = 0; y < WINOGRAD_SPAN; y++) {
        vfloat line[WINOGRAD_SPAN];
        for (size_t x = 0; x < WINOGRAD_SPAN; x++) line[x] = vload(pixels[y][x] + c);
        winograd_sample(line, half[y]);
      }
      for (size_t x = 0; x < WINOGRAD_SPAN; x++) {
        vfloat line[WINOGRAD_SPAN], whole[WINOGRAD_SPAN];
        for (size_t y = 0; y < WINOGRAD_SPAN; y++) line[y] = half[y][x];
        winograd_sample(line, whole);
        for (size_t y = 0; y < WINOGRAD_SPAN; y++) vstore(to + (y * WINOGRAD_SPAN + x) * point_stride + c, whole[y]);
      }
    }
  }
}

INLINE vfloat load_weights(const ck_product *p, size_t at) {
  switch (p->storage) {
    case CK_STORAGE_FLOAT16: return vload_half((const uint16_t *)p->packed + at);
    case CK_STORAGE_BFLOAT16: return vload_bfloat16((const uint16_t *)p->packed + at);
    default: return vload((const float *)p->packed + at);
  }
}

/// Depth `k0 ..< k0 + depth` of a panel's kernels at all points: `to` [points][ck_winograd_panel_stride].
static void winograd_kernels(const ck_product *p, size_t panel, int vectors, size_t k0, size_t depth, float *to) {
  const size_t point_stride = ck_winograd_panel_stride(NR), tap_stride = p->channels * NR;
  for (size_t k = 0; k < depth; k++)
    for (int j = 0; j < vectors; j++) {
      const size_t first = panel * WINOGRAD_TAPS * WINOGRAD_TAPS * tap_stride + (k0 + k) * NR + (size_t)j * V;
      vfloat half[WINOGRAD_TAPS][WINOGRAD_SPAN];
      for (size_t y = 0; y < WINOGRAD_TAPS; y++) {
        vfloat line[WINOGRAD_TAPS];
        for (size_t x = 0; x < WINOGRAD_TAPS; x++) line[x] = load_weights(p, first + (WINOGRAD_TAPS * y + x) * tap_stride);
        winograd_spread(line, half[y]);
      }
      for (size_t x = 0; x < WINOGRAD_SPAN; x++) {
        const vfloat line[WINOGRAD_TAPS] = {half[0][x], half[1][x], half[2][x]};
        vfloat whole[WINOGRAD_SPAN];
        winograd_spread(line, whole);
        for (size_t y = 0; y < WINOGRAD_SPAN; y++)
          vstore(to + (y * WINOGRAD_SPAN + x) * point_stride + k * NR + (size_t)j * V, whole[y]);
      }
    }
}

/// Finishes `count` tiles of one panel from their sums [points][CK_WINOGRAD_TILES][NR].
static void winograd_finish(const ck_product *p, size_t tile, size_t count, size_t panel, const float *sums) {
  const size_t point_stride = CK_WINOGRAD_TILES * NR, columns = p->columns - panel * NR < NR ? p->columns - panel * NR : NR;
  for (size_t i = 0; i < count; i++, sums += NR) {
    const winograd_place place = winograd_place_of(p, tile + i);
    const size_t high = p->out_height - place.y < CK_WINOGRAD_SIDE ? p->out_height - place.y : CK_WINOGRAD_SIDE;
    const size_t wide = p->out_width - place.x < CK_WINOGRAD_SIDE ? p->out_width - place.x : CK_WINOGRAD_SIDE;
    for (size_t j = 0; j < columns; j += V) {
      vfloat half[WINOGRAD_SPAN][CK_WINOGRAD_SIDE];
      for (size_t y = 0; y < WINOGRAD_SPAN; y++) {
        vfloat line[WINOGRAD_SPAN];
        for (size_t x = 0; x < WINOGRAD_SPAN; x++) line[x] = vload(sums + (y * WINOGRAD_SPAN + x) * point_stride + j);
        winograd_gather(line, half[y]);
      }
      for (size_t x = 0; x < wide; x++) {
        vfloat line[WINOGRAD_SPAN], whole[CK_WINOGRAD_SIDE];
        for (size_t y = 0; y < WINOGRAD_SPAN; y++) line[y] = half[y][x];
        winograd_gather(line, whole);
        for (size_t y = 0; y < high; y++) {
          const size_t row = (place.sample * p->out_height + place.y + y) * p->out_width + place.x + x;
          finish_vector(p, row, place.sample, panel * NR + j, columns - j, whole[y]);
        }
      }
    }
  }
}

/// Works in blocks of tiles and groups of panels, whose sums [CK_WINOGRAD_PANELS][points][CK_WINOGRAD_TILES][NR] stay in the
/// scratch until the whole depth is added up.
static void multiply_winograd(const ck_product *p, size_t tile_first, size_t tile_last, size_t panel_first, size_t panel_last,
                              float *scratch) {
  float *tiles = scratch, *kernels = tiles + CK_WINOGRAD_POINTS * CK_WINOGRAD_TILES * CK_WINOGRAD_ROW_STRIDE;
  float *sums = kernels + CK_WINOGRAD_POINTS * ck_winograd_panel_stride(NR);
  const size_t panel_floats = CK_WINOGRAD_POINTS * CK_WINOGRAD_TILES * NR;
  for (size_t t = tile_first; t < tile_last; t += CK_WINOGRAD_TILES) {
    const size_t count = tile_last - t < CK_WINOGRAD_TILES ? tile_last - t : CK_WINOGRAD_TILES;
    for (size_t group = panel_first; group < panel_last; group += CK_WINOGRAD_PANELS) {
      const size_t group_last = group + CK_WINOGRAD_PANELS < panel_last ? group + CK_WINOGRAD_PANELS : panel_last;
      for (size_t k0 = 0; k0 < p->channels; k0 += CK_WINOGRAD_DEPTH) {
        const size_t depth = p->channels - k0 < CK_WINOGRAD_DEPTH ? p->channels - k0 : CK_WINOGRAD_DEPTH;
        winograd_tiles(p, t, count, k0, depth, tiles);
        for (size_t panel = group; panel < group_last; panel++) {
          const int vectors = p->columns - panel * NR > V ? 2 : 1;
          winograd_kernels(p, panel, vectors, k0, depth, kernels);
          for (size_t point = 0; point < CK_WINOGRAD_POINTS; point++) {
            const float *a = tiles + point * CK_WINOGRAD_TILES * CK_WINOGRAD_ROW_STRIDE;
            float *c = sums + (panel - group) * panel_floats + point * CK_WINOGRAD_TILES * NR;
            for (size_t i = 0; i < count; i += MR)
              tile(count - i < MR ? count - i : MR, vectors, a + i * CK_WINOGRAD_ROW_STRIDE, CK_WINOGRAD_ROW_STRIDE,
                   kernels + point * ck_winograd_panel_stride(NR), depth, c + i * NR, NR, k0 > 0);
          }
        }
      }
      for (size_t panel = group; panel < group_last; panel++)
        winograd_finish(p, t, count, panel, sums + (panel - group) * panel_floats);
    }
  }
}
