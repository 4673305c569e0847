#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_LEVEL_NAME "avx512bf16"
#define CK_VECTOR_FLOATS 16
#define CK_TILE_ROWS 14
#define CK_FUSED 1
#define CK_NATIVE_HALF 1
#define CK_WINOGRAD 1
#define CK_BFLOAT16 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"))), apply_to = function)
#include "level_vector.h"
#include "level_product.h"
#include "level_winograd.h"
#include "level_attention.h"
#include "level_rows.h"
#include "level_depthwise.h"
#include "level_linear_attention.h"
#include "level_bfloat16_tile.h"
static inline void bfloat16_begin(void) {}
static inline void bfloat16_end(void) {}

/// Eight rows of a tile; see bfloat16_tile.
INLINE void eight_rows(const narrow *a, size_t stride, const size_t *offsets, size_t taps, size_t depth, const narrow *b,
                       const int vectors, float *c, int accumulate) {
  enum { ROWS = 8 };
  __m512 sum[ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < ROWS; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) sum[i][j] = accumulate ? _mm512_loadu_ps(c + i * NR + j * V) : _mm512_setzero_ps();
  for (size_t tap = 0; tap < taps; tap++) {
    const narrow *left = a + offsets[tap];
    for (size_t k = 0; k < depth; k += 2, b += 2 * NR) {
      __m512bh right[2];
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) right[j] = (__m512bh)_mm512_loadu_si512(b + j * 2 * V);
#pragma clang loop unroll(full)
      for (int i = 0; i < ROWS; i++) {
        int32_t pair;
        memcpy(&pair, left + i * stride + k, sizeof pair);
        const __m512bh both = (__m512bh)_mm512_set1_epi32(pair);
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], both, right[j]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < ROWS; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) _mm512_storeu_ps(c + i * NR + j * V, sum[i][j]);
}

/// c[16 or 32][vectors·V] (+)= rows of `first`, then of `second` where given, times b [taps · depth / 2][NR][2]. Row i of tap t
/// starts at i·stride + offsets[t].
static void bfloat16_tile(const narrow *first, const narrow *second, size_t stride, const size_t *offsets, size_t taps,
                          size_t depth, const narrow *b, int vectors, float *c, int accumulate) {
  for (int half = 0; half < (second ? 4 : 2); half++) {
    const narrow *a = (half < 2 ? first : second) + half % 2 * 8 * stride;
    float *out = c + half * 8 * NR;
    if (vectors == 1) eight_rows(a, stride, offsets, taps, depth, b, 1, out, accumulate);
    else eight_rows(a, stride, offsets, taps, depth, b, 2, out, accumulate);
  }
}

static double bfloat16_peak(size_t turns) {
  __m512 sum[16];
  const __m512bh one = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (int i = 0; i < 16; i++) sum[i] = _mm512_setzero_ps();
  for (size_t turn = 0; turn < turns; turn++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) {
      sum[i] = _mm512_dpbf16_ps(sum[i], one, one);
      __asm__("" : "+v"(sum[i]));
    }
  }
  return (double)turns * 16 * 64;
}

#include "level_bfloat16.h"
#include "level_bfloat16_attention.h"
#include "level_table.h"
#pragma clang attribute pop

const ck_table *ck_table_avx512bf16(void) { return &table; }
#else
const ck_table *ck_table_avx512bf16(void) { return NULL; }
#endif
