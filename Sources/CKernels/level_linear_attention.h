// Linear attention over samples: sums of keys and values at every position, and what queries read of them.
//
// Source: Katharopoulos et al., "Transformers are RNNs" (2020), without its feature map. A head is narrow, so vectors are of
// eight floats at every level; widths that are no multiple of eight go one by one.

/// Floats of a vector, and rows of the sums that stay in registers while the samples go by.
enum { LINEAR_LANES = 8, LINEAR_ROWS = 8 };

typedef float lfloat __attribute__((vector_size(LINEAR_LANES * 4)));
typedef float lfloat_unaligned __attribute__((vector_size(LINEAR_LANES * 4), aligned(4)));

/// a · b + c, in one rounding where the level can, on vectors and on single floats alike.
#if CK_FUSED
#define LINEAR_MULADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define LINEAR_MULADD(a, b, c) ((a) * (b) + (c))
#endif

/// Adds every sample's products of `rows` keys with a vector of values to one block of the sums.
INLINE void linear_block(const ck_linear_attention *s, const float *keys, const float *values, const int rows, const float *before,
                         float *sums) {
  const size_t step = s->positions * s->heads * s->width;
  lfloat sum[LINEAR_ROWS];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sum[i] = before ? *(const lfloat_unaligned *)(before + (size_t)i * s->width) : (lfloat){0};
  for (size_t n = 0; n < s->samples; n++) {
    const lfloat value = *(const lfloat_unaligned *)(values + n * step);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      const lfloat key = keys[n * step + (size_t)i] - (lfloat){0};
      sum[i] = LINEAR_MULADD(key, value, sum[i]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) *(lfloat_unaligned *)(sums + (size_t)i * s->width) = sum[i];
}

/// The same for one product, where a width is no multiple of a vector.
INLINE void linear_single(const ck_linear_attention *s, const float *keys, const float *values, const float *before, float *sums) {
  const size_t step = s->positions * s->heads * s->width;
  float sum = before ? *before : 0.0f;
  for (size_t n = 0; n < s->samples; n++) sum = LINEAR_MULADD(keys[n * step], values[n * step], sum);
  *sums = sum;
}

static void linear_attention_sums(const ck_linear_attention *s, const float *keys, const float *values, const float *before, size_t first,
                                  size_t last, float *sums) {
  const size_t width = s->width, step = s->positions * s->heads * width;
  const size_t whole = width % LINEAR_LANES == 0 ? width : 0;
  for (size_t place = first * s->heads; place < last * s->heads; place++) {
    const float *key = keys + place * width, *value = values + place * width;
    const float *old = before ? before + place * (width + 1) * width : NULL;
    float *block = sums + place * (width + 1) * width;
    for (size_t i = 0; i < whole; i += LINEAR_ROWS)
      for (size_t j = 0; j < whole; j += LINEAR_LANES)
        linear_block(s, key + i, value + j, LINEAR_ROWS, old ? old + i * width + j : NULL, block + i * width + j);
    for (size_t i = whole; i < width; i++)
      for (size_t j = 0; j < width; j++) linear_single(s, key + i, value + j, old ? old + i * width + j : NULL, block + i * width + j);
    for (size_t j = 0; j < width; j++) {
      float total = old ? old[width * width + j] : 0.0f;
      for (size_t n = 0; n < s->samples; n++) total += key[n * step + j];
      block[width * width + j] = total;
    }
  }
}

/// One sample at one place, whose width is a multiple of a vector.
INLINE void linear_read(const float *query, const float *rows, float epsilon, const float *residual, const size_t width, float *output) {
  const float *totals = rows + width * width;
  float dot = 0;
  for (size_t i = 0; i < width; i++) dot = LINEAR_MULADD(query[i], totals[i], dot);
  const float share = 1.0f / (dot + epsilon);
  for (size_t j = 0; j < width; j += LINEAR_LANES) {
    lfloat sum = {0};
    for (size_t i = 0; i < width; i++) {
      const lfloat factor = query[i] - (lfloat){0};
      sum = LINEAR_MULADD(factor, *(const lfloat_unaligned *)(rows + i * width + j), sum);
    }
    const lfloat spread = share - (lfloat){0};
    *(lfloat_unaligned *)(output + j) = LINEAR_MULADD(sum, spread, *(const lfloat_unaligned *)(residual + j));
  }
}

/// The same for any width.
static void linear_read_any(const float *query, const float *rows, float epsilon, const float *residual, size_t width, float *output) {
  const float *totals = rows + width * width;
  float dot = 0;
  for (size_t i = 0; i < width; i++) dot = LINEAR_MULADD(query[i], totals[i], dot);
  const float share = 1.0f / (dot + epsilon);
  for (size_t j = 0; j < width; j++) {
    float sum = 0;
    for (size_t i = 0; i < width; i++) sum = LINEAR_MULADD(query[i], rows[i * width + j], sum);
    output[j] = LINEAR_MULADD(sum, share, residual[j]);
  }
}

static void linear_attention_read(const ck_linear_attention *s, const float *queries, const float *sums, float epsilon, const float *residual,
                                  size_t first, size_t last, float *output) {
  const size_t width = s->width, step = s->positions * s->heads * width;
  for (size_t place = first * s->heads; place < last * s->heads; place++) {
    const float *rows = sums + place * (width + 1) * width;
    for (size_t n = 0; n < s->samples; n++) {
      const size_t at = n * step + place * width;
      switch (width) {
        case 8: linear_read(queries + at, rows, epsilon, residual + at, 8, output + at); break;
        case 16: linear_read(queries + at, rows, epsilon, residual + at, 16, output + at); break;
        case 32: linear_read(queries + at, rows, epsilon, residual + at, 32, output + at); break;
        default: linear_read_any(queries + at, rows, epsilon, residual + at, width, output + at); break;
      }
    }
  }
}
#undef LINEAR_MULADD
