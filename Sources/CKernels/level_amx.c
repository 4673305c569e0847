#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CK_LEVEL_NAME "amx"
#define CK_VECTOR_FLOATS 16
#define CK_TILE_ROWS 14
#define CK_FUSED 1
#define CK_NATIVE_HALF 1
#define CK_WINOGRAD 1
#define CK_BFLOAT16 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c,amx-tile,amx-bf16"))), apply_to = function)
#include "level_vector.h"
#include "level_product.h"
#include "level_winograd.h"
#include "level_attention.h"
#include "level_rows.h"
#include "level_depthwise.h"
#include "level_linear_attention.h"
#include "level_bfloat16_tile.h"
/// All eight tiles whole: 16 rows of 64 bytes.
static void bfloat16_begin(void) {
  static const struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shape = {
      .palette = 1,
      .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
      .rows = {16, 16, 16, 16, 16, 16, 16, 16},
  };
  _tile_loadconfig(&shape);
}

static void bfloat16_end(void) { _tile_release(); }

/// Tiles 0 to 3 are sums (two rows of two), 4 and 5 rows of `first` and `second`, 6 and 7 columns of b.
INLINE void tiles_product(const narrow *first, const narrow *second, size_t stride, const size_t *offsets, size_t taps, size_t depth,
                          const narrow *b, const int rows, const int columns, float *c, int accumulate) {
  const size_t row = NR * sizeof(float), pair = 2 * NR * sizeof(narrow), step = stride * sizeof(narrow);
  if (accumulate) {
    _tile_loadd(0, c, row);
    if (columns == 2) _tile_loadd(1, c + V, row);
    if (rows == 2) _tile_loadd(2, c + TILE * NR, row);
    if (rows == 2 && columns == 2) _tile_loadd(3, c + TILE * NR + V, row);
  } else {
    _tile_zero(0);
    if (columns == 2) _tile_zero(1);
    if (rows == 2) _tile_zero(2);
    if (rows == 2 && columns == 2) _tile_zero(3);
  }
  for (size_t tap = 0; tap < taps; tap++) {
    const size_t offset = offsets[tap];
    for (size_t k = 0; k < depth; k += PAIR, b += PAIR * NR) {
      _tile_loadd(6, b, pair);
      _tile_loadd(4, first + offset + k, step);
      _tile_dpbf16ps(0, 4, 6);
      if (rows == 2) {
        _tile_loadd(5, second + offset + k, step);
        _tile_dpbf16ps(2, 5, 6);
      }
      if (columns == 2) {
        _tile_loadd(7, b + 2 * V, pair);
        _tile_dpbf16ps(1, 4, 7);
        if (rows == 2) _tile_dpbf16ps(3, 5, 7);
      }
    }
  }
  _tile_stored(0, c, row);
  if (columns == 2) _tile_stored(1, c + V, row);
  if (rows == 2) _tile_stored(2, c + TILE * NR, row);
  if (rows == 2 && columns == 2) _tile_stored(3, c + TILE * NR + V, row);
}

/// c[16 or 32][vectors·V] (+)= rows of `first`, then of `second` where given, times b [taps · depth / 2][NR][2]. Row i of tap t
/// starts at i·stride + offsets[t].
static void bfloat16_tile(const narrow *first, const narrow *second, size_t stride, const size_t *offsets, size_t taps,
                          size_t depth, const narrow *b, int vectors, float *c, int accumulate) {
  if (second && vectors == 2) tiles_product(first, second, stride, offsets, taps, depth, b, 2, 2, c, accumulate);
  else if (second) tiles_product(first, second, stride, offsets, taps, depth, b, 2, 1, c, accumulate);
  else if (vectors == 2) tiles_product(first, second, stride, offsets, taps, depth, b, 1, 2, c, accumulate);
  else tiles_product(first, second, stride, offsets, taps, depth, b, 1, 1, c, accumulate);
}

static double bfloat16_peak(size_t turns) {
  bfloat16_begin();
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3), _tile_zero(4), _tile_zero(5), _tile_zero(6), _tile_zero(7);
  for (size_t turn = 0; turn < turns; turn++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  bfloat16_end();
  return (double)turns * 4 * 16 * 16 * 64;
}

#include "level_bfloat16.h"
#include "level_bfloat16_attention.h"
#include "level_table.h"
#pragma clang attribute pop

const ck_table *ck_table_amx(void) { return &table; }
#else
const ck_table *ck_table_amx(void) { return NULL; }
#endif
