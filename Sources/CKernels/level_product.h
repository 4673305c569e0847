// Matrix products over packed panels: the tile and the gathering of convolution rows.

/// c[rows][vectors·V] (+)= a[rows][depth] · b[depth][NR], all sums in order of depth.
/// `accumulate` adds to what c holds, else c is set.
INLINE void tile_body(const int rows, const int vectors, const float *a, size_t a_stride, const float *b, size_t depth,
                      float *c, size_t c_stride, int accumulate) {
  vfloat sum[MR][PANEL_VECTORS];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) sum[i][j] = (vfloat){0};
  for (size_t k = 0; k < depth; k++) {
    vfloat right[PANEL_VECTORS];
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) right[j] = vload(b + k * NR + j * V);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vfloat left = vsplat(a[i * a_stride + k]);
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) sum[i][j] = vmuladd(left, right[j], sum[i][j]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) {
      float *out = c + i * c_stride + j * V;
      vstore(out, accumulate ? vload(out) + sum[i][j] : sum[i][j]);
    }
}

#define TILE_CASE(R)                                                                      \
  case R:                                                                                 \
    if (R <= MR) {                                                                        \
      if (vectors == 1)                                                                   \
        tile_body(R <= MR ? R : 1, 1, a, a_stride, b, depth, c, c_stride, accumulate);    \
      else                                                                                \
        tile_body(R <= MR ? R : 1, 2, a, a_stride, b, depth, c, c_stride, accumulate);    \
    }                                                                                     \
    break;

static void tile(size_t rows, int vectors, const float *a, size_t a_stride, const float *b, size_t depth, float *c,
                 size_t c_stride, int accumulate) {
  switch (rows) {
    TILE_CASE(1) TILE_CASE(2) TILE_CASE(3) TILE_CASE(4) TILE_CASE(5) TILE_CASE(6) TILE_CASE(7) TILE_CASE(8)
    TILE_CASE(9) TILE_CASE(10) TILE_CASE(11) TILE_CASE(12) TILE_CASE(13) TILE_CASE(14)
  }
}

/// Copies depth `k0 ..< k0 + depth` of output rows `row ..< row + count` to `to` [count][CK_DEPTH_STRIDE].
static void gather_rows(const ck_product *p, size_t row, size_t count, size_t k0, size_t depth, float *to) {
  const size_t area = p->out_height * p->out_width;
  const ptrdiff_t height = (ptrdiff_t)(p->height * p->enlargement), width = (ptrdiff_t)(p->width * p->enlargement);
  const size_t channels = p->channels;
  for (size_t i = 0; i < count; i++, to += CK_DEPTH_STRIDE) {
    const size_t sample = (row + i) / area, pixel = (row + i) % area;
    const ptrdiff_t y0 = (ptrdiff_t)(pixel / p->out_width * p->stride) - (ptrdiff_t)p->pad_top;
    const ptrdiff_t x0 = (ptrdiff_t)(pixel % p->out_width * p->stride) - (ptrdiff_t)p->pad_left;
    const float *image = p->input + sample * p->height * p->width * channels;
    size_t done = 0;
    while (done < depth) {
      const size_t tap = (k0 + done) / channels, channel = (k0 + done) % channels;
      size_t run = channels - channel;
      if (run > depth - done) run = depth - done;
      const ptrdiff_t y = y0 + (ptrdiff_t)(tap / p->kernel_width), x = x0 + (ptrdiff_t)(tap % p->kernel_width);
      if (y < 0 || y >= height || x < 0 || x >= width) {
        memset(to + done, 0, run * sizeof(float));
      } else {
        const size_t source = (size_t)y / p->enlargement * p->width + (size_t)x / p->enlargement;
        memcpy(to + done, image + source * channels + channel, run * sizeof(float));
      }
      done += run;
    }
  }
}

/// Adds bias, shift and residual to a finished vector of output row `row`, of which `left` columns exist, and writes what the
/// activation makes of it.
INLINE void finish_vector(const ck_product *p, size_t row, size_t sample, size_t column, size_t left, vfloat sum) {
  const size_t at = row * p->columns + column;
  const float *bias = p->bias ? p->bias + column : NULL;
  const float *shift = p->shift ? p->shift + sample * p->columns + column : NULL;
  const size_t shared = p->residual_is_shared ? sample * p->out_height * p->out_width * p->columns : 0;
  const float *residual = p->residual ? p->residual + at - shared : NULL;
  const int whole = left >= V;
  if (bias) sum += whole ? vload(bias) : vload_part(bias, left);
  if (shift) sum += whole ? vload(shift) : vload_part(shift, left);
  if (residual) sum += whole ? vload(residual) : vload_part(residual, left);
  if (p->activation != CK_IDENTITY) sum = activated(p->activation, sum);
  if (whole) vstore(p->output + at, sum);
  else vstore_part(p->output + at, sum, left);
}

/// Finishes rows of one panel, whose sums are [count][from_stride].
static void finish_rows(const ck_product *p, size_t row, size_t count, size_t column, size_t columns,
                        const float *from, size_t from_stride) {
  const size_t area = p->out_height * p->out_width;
  for (size_t i = 0; i < count; i++) {
    const size_t sample = (row + i) / area;
    for (size_t j = 0; j < columns; j += V)
      finish_vector(p, row + i, sample, column + j, columns - j, vload(from + i * from_stride + j));
  }
}

/// Floats of a panel's depth `first ..< first + depth`, widened into `to` where they are stored in 16 bits.
static const float *widen_panel(const ck_product *p, size_t first, size_t depth, float *to) {
  if (p->storage == CK_STORAGE_FLOAT32) return (const float *)p->packed + first * NR;
  const uint16_t *from = (const uint16_t *)p->packed + first * NR;
  for (size_t i = 0; i < depth * NR; i += V)
    vstore(to + i, p->storage == CK_STORAGE_FLOAT16 ? vload_half(from + i) : vload_bfloat16(from + i));
  return to;
}

/// Multiplications and additions per second are its result divided by the time it takes: registers alone.
static double peak(size_t turns) {
  enum { SUMS = MR * PANEL_VECTORS - 2 };
  float ones = 1;
  // Hidden from the compiler, which would add up once what is the same.
  __asm__("" : "+m"(ones));
  vfloat sum[SUMS];
  for (int i = 0; i < SUMS; i++) sum[i] = vsplat(ones * (float)i);
  const vfloat one = vsplat(ones);
  for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) sum[i] = vmuladd(one, one, sum[i]);
  }
  vfloat total = sum[0];
  for (int i = 1; i < SUMS; i++) total += sum[i];
  volatile float kept = vsum(total);
  (void)kept;
  return (double)turns * SUMS * V * 2;
}

/// Works in blocks of rows and groups of panels. The sums of a group, [CK_PANEL_GROUP][CK_ROW_BLOCK][NR], stay in the
/// scratch until the whole depth is added up, then bias, shift and residual are added and they are written once.
static void multiply(const ck_product *p, size_t row_first, size_t row_last, size_t panel_first, size_t panel_last,
                     float *scratch) {
  const size_t depth = p->channels * p->kernel_height * p->kernel_width;
  float *gathered = scratch;
  float *sums = scratch + CK_ROW_BLOCK * CK_DEPTH_STRIDE, *widened = sums + CK_PANEL_GROUP * CK_ROW_BLOCK * NR;
  for (size_t row = row_first; row < row_last; row += CK_ROW_BLOCK) {
    const size_t rows = row_last - row < CK_ROW_BLOCK ? row_last - row : CK_ROW_BLOCK;
    for (size_t group = panel_first; group < panel_last; group += CK_PANEL_GROUP) {
      const size_t group_last = group + CK_PANEL_GROUP < panel_last ? group + CK_PANEL_GROUP : panel_last;
      for (size_t k0 = 0; k0 < depth; k0 += CK_DEPTH_BLOCK) {
        const size_t block = depth - k0 < CK_DEPTH_BLOCK ? depth - k0 : CK_DEPTH_BLOCK;
        gather_rows(p, row, rows, k0, block, gathered);
        for (size_t panel = group; panel < group_last; panel++) {
          const size_t left = p->columns - panel * NR;
          const int vectors = left > V ? 2 : 1;
          float *c = sums + (panel - group) * CK_ROW_BLOCK * NR;
          const float *b = widen_panel(p, panel * depth + k0, block, widened);
          for (size_t i = 0; i < rows; i += MR) {
            const size_t count = rows - i < MR ? rows - i : MR;
            tile(count, vectors, gathered + i * CK_DEPTH_STRIDE, CK_DEPTH_STRIDE, b, block, c + i * NR, NR, k0 > 0);
          }
        }
      }
      for (size_t panel = group; panel < group_last; panel++) {
        const size_t left = p->columns - panel * NR;
        finish_rows(p, row, rows, panel * NR, left < NR ? left : NR, sums + (panel - group) * CK_ROW_BLOCK * NR, NR);
      }
    }
  }
}
