// Attention in bfloat16: scores and mixed values are products of pairs, the softmax between them runs in float.

enum { QUERIES = CK_NARROW_QUERIES, KEYS = CK_NARROW_KEYS };

/// Keys: [panel of NR keys][width / 2][NR][2]; values: [panel of NR columns][keys / 2][NR][2]; zeros where they end.
static void attention_pack_bfloat16(const ck_attention *t, size_t sample, size_t head) {
  const size_t count = t->key_count, index = sample * t->heads + head;
  const size_t depth = padded(t->width, PAIR), keys = padded(count, PAIR);
  const float *from = t->keys + sample * count * t->key_stride + head * t->width;
  narrow *packed = (narrow *)t->packed_keys + index * keys * depth;
  narrow row[2 * PAIR];
  for (size_t i = 0; i < keys; i++) {
    narrow *to = packed + (i / NR * depth / 2 * NR + i % NR) * 2;
    for (size_t k = 0; k < depth; k += PAIR) {
      const size_t present = k < t->width && i < count ? at_most(t->width - k, PAIR) : 0;
      narrow_run(from + i * t->key_stride + k, row, present, PAIR);
      for (size_t pair = 0; pair < PAIR / 2; pair++) memcpy(to + (k / 2 + pair) * NR * 2, row + 2 * pair, 2 * sizeof(narrow));
    }
  }
  from = t->values + sample * count * t->value_stride + head * t->width;
  packed = (narrow *)t->packed_values + index * keys * padded(t->width, NR);
  for (size_t column = 0; column < t->width; column += NR) {
    const size_t present = at_most(t->width - column, NR);
    narrow *to = packed + column * keys;
    for (size_t i = 0; i < keys; i += 2, to += 2 * NR) {
      narrow_run(from + i * t->value_stride + column, row, i < count ? present : 0, NR);
      narrow_run(from + (i + 1) * t->value_stride + column, row + NR, i + 1 < count ? present : 0, NR);
      for (size_t j = 0; j < NR; j++) to[2 * j] = row[j], to[2 * j + 1] = row[NR + j];
    }
  }
}

/// 2^x for x ≤ 0 to 1e-4 of itself: a cubic on the fraction, then the exponent.
INLINE __m512 power_of_two(__m512 x) {
  const __m512 f = _mm512_reduce_ps(x, 0x09);  // x − ⌊x⌋
  // The cubic whose greatest relative error on [0, 1) is least.
  __m512 p = _mm512_set1_ps(0.07802452f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.22606716f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.69583356f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.9999252f));
  return _mm512_scalef_ps(p, x);
}

/// The running softmax of one block of queries.
typedef struct {
  float top[QUERIES], total[QUERIES];
} softmax_state;

/// Weights 2^(factor·(score − top)) of row `i`: `scores` is [panel][QUERIES][NR], `weights` [QUERIES][KEYS].
/// Returns what earlier weights shrink by.
INLINE float weigh_narrow(softmax_state *state, size_t i, const float *scores, size_t present, float factor, narrow *weights) {
  const size_t vectors = padded(present, PAIR) / 16, whole = present / 16;
  const __mmask16 part = (__mmask16)((1u << present % 16) - 1);
  __m512 best = _mm512_set1_ps(-INFINITY);
  for (size_t v = 0; v < whole; v++) best = _mm512_max_ps(best, _mm512_loadu_ps(scores + (v / 2 * QUERIES + i) * NR + v % 2 * 16));
  if (part) best = _mm512_mask_max_ps(best, part, best, _mm512_loadu_ps(scores + (whole / 2 * QUERIES + i) * NR + whole % 2 * 16));
  const float before = state->top[i], highest = _mm512_reduce_max_ps(best), top = highest > before ? highest : before;
  // The cubic is not 1 at 0, and where there is no earlier weight the difference is infinite.
  const float shrink = top == before ? 1 : before == -INFINITY ? 0 : _mm512_cvtss_f32(power_of_two(_mm512_set1_ps(factor * (before - top))));
  const __m512 scale = _mm512_set1_ps(factor), shift = _mm512_set1_ps(factor * top);
  __m512 total = _mm512_setzero_ps();
  for (size_t v = 0; v < vectors; v += 2) {
    const float *from = scores + (v / 2 * QUERIES + i) * NR;
    __m512 low = power_of_two(_mm512_fmsub_ps(_mm512_loadu_ps(from), scale, shift));
    __m512 high = power_of_two(_mm512_fmsub_ps(_mm512_loadu_ps(from + 16), scale, shift));
    if (v + 2 > whole) {
      low = v < whole ? low : _mm512_maskz_mov_ps(part, low);
      high = v < whole ? _mm512_maskz_mov_ps(part, high) : _mm512_setzero_ps();
    }
    total = _mm512_add_ps(total, _mm512_add_ps(low, high));
    _mm512_storeu_si512(weights + i * KEYS + v * 16, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
  state->top[i] = top;
  state->total[i] = state->total[i] * shrink + _mm512_reduce_add_ps(total);
  return shrink;
}

/// The product of rows [rows][depth] with panels, [panel][QUERIES][NR] (+)=.
static void panels_product(size_t rows, const narrow *a, size_t a_stride, size_t depth, const narrow *b, size_t panel_size,
                           size_t columns, float *out, int accumulate) {
  const size_t offset = 0, tiles = tiles_over(rows);
  for (size_t panel = 0; panel * NR < columns; panel++)
    for (size_t i = 0; i < tiles; i += 2)
      bfloat16_tile(a + i * TILE * a_stride, i + 1 < tiles ? a + (i + 1) * TILE * a_stride : NULL, a_stride, &offset, 1, depth,
                    b + panel * panel_size, columns - panel * NR > V ? 2 : 1, out + (panel * QUERIES + i * TILE) * NR, accumulate);
}

static void attention_attend_bfloat16(const ck_attention *t, size_t sample, size_t head, size_t block, float *scratch) {
  const size_t width = t->width, count = t->key_count, index = sample * t->heads + head, first = block * QUERIES;
  const size_t rows = at_most(t->query_count - first, QUERIES), depth = padded(width, PAIR), keys = padded(count, PAIR);
  const size_t columns = padded(width, NR);
  const float factor = 1.44269504088896341f / sqrtf((float)width);
  const float *from = t->queries + (sample * t->query_count + first) * t->query_stride + head * width;
  float *scores = scratch, *mixed = scores + QUERIES * KEYS;
  narrow *weights = (narrow *)(mixed + QUERIES * columns), *queries = weights + QUERIES * KEYS;
  softmax_state state;
  for (size_t i = 0; i < rows; i++) {
    narrow_run(from + i * t->query_stride, queries + i * depth, width, depth);
    state.top[i] = -INFINITY, state.total[i] = 0;
  }
  bfloat16_begin();
  for (size_t k0 = 0; k0 < count; k0 += KEYS) {
    const size_t present = at_most(count - k0, KEYS);
    panels_product(rows, queries, depth, depth, (const narrow *)t->packed_keys + (index * keys + k0) * depth, NR * depth, present,
                   scores, 0);
    for (size_t i = 0; i < rows; i++) {
      const float shrink = weigh_narrow(&state, i, scores, present, factor, weights);
      if (k0 > 0 && shrink != 1)
        for (size_t j = 0; j < columns; j += 16) {
          float *at = mixed + (j / NR * QUERIES + i) * NR + j % NR;
          _mm512_storeu_ps(at, _mm512_mul_ps(_mm512_loadu_ps(at), _mm512_set1_ps(shrink)));
        }
    }
    panels_product(rows, weights, KEYS, padded(present, PAIR), (const narrow *)t->packed_values + index * keys * columns + k0 * NR,
                   keys * NR, width, mixed, k0 > 0);
  }
  bfloat16_end();
  for (size_t i = 0; i < rows; i++) {
    float *out = t->output + ((sample * t->query_count + first + i) * t->heads + head) * width;
    const float share = 1.0f / state.total[i];
    for (size_t j = 0; j < width; j++) out[j] = mixed[(j / NR * QUERIES + i) * NR + j % NR] * share;
  }
}
