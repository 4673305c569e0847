#ifndef TRIPTYCH_CK_TABLE_H
#define TRIPTYCH_CK_TABLE_H
#include "CKernels.h"

/// The sizes belong to the layout of packed weights.
struct ck_table {
  const char *name;
  size_t vector_floats;
  size_t tile_rows;
  size_t panel_columns;
  void (*multiply)(const ck_product *, size_t, size_t, size_t, size_t, float *);
  double (*peak)(size_t);
  /// NULL where the level is the direct reference.
  void (*multiply_winograd)(const ck_product *, size_t, size_t, size_t, size_t, float *);
  /// NULL where the level has no bfloat16 products.
  void (*multiply_bfloat16)(const ck_product *, size_t, size_t, size_t, size_t, float *);
  void (*attention_pack_bfloat16)(const ck_attention *, size_t, size_t);
  void (*attention_attend_bfloat16)(const ck_attention *, size_t, size_t, size_t, float *);
  double (*peak_bfloat16)(size_t);
  /// Rows from `row` on that are best given to one call.
  size_t (*rows_together)(const ck_product *);
  void (*attention_pack)(const ck_attention *, size_t, size_t);
  void (*attention_attend)(const ck_attention *, size_t, size_t, size_t, float *);
  void (*attention_average)(const ck_attention *, size_t, size_t, float *);
  void (*channel_moments)(const float *, const float *, size_t, size_t, double *, double *);
  void (*channel_affine)(const float *, const float *, const float *, const float *, size_t, size_t, ck_activation, float *);
  void (*layer_norm)(const float *, const float *, const float *, float, size_t, size_t, float *);
  void (*convolve_depthwise)(const ck_depthwise *, size_t, size_t, size_t, size_t, size_t, float *);
  void (*linear_attention_sums)(const ck_linear_attention *, const float *, const float *, const float *, size_t, size_t, float *);
  void (*linear_attention_read)(const ck_linear_attention *, const float *, const float *, float, const float *, size_t, size_t, float *);
  void (*activate)(ck_activation, const float *, size_t, float *);
  void (*geglu)(const float *, size_t, size_t, float *);
  void (*combine)(const float *, float, const float *, float, size_t, float *);
  void (*bilinear_row)(const float *, const float *, float, size_t, size_t, const uint32_t *, const uint32_t *, const float *, size_t, float *,
                       float *);
};

/// Rows gathered at once and depth summed at once by a product. A depth block of a panel (CK_DEPTH_BLOCK × 32 floats)
/// stays in the first-level cache beside a tile's rows; a block of rows stays in the second level.
enum { CK_ROW_BLOCK = 336, CK_DEPTH_BLOCK = 256, CK_DEPTH_STRIDE = CK_DEPTH_BLOCK + 16 };
/// Panels whose sums are kept at once, so that gathered rows are used that often.
enum { CK_PANEL_GROUP = 10 };
/// The most columns a level's panels have.
enum { CK_PANEL_COLUMNS = 32 };
/// Tiles, depth and panels of Winograd's convolutions that are worked on at once: tiles, kernels and sums at all points
/// take about 2 MB, a point's tiles and kernels stay in the first-level cache.
enum {
  CK_WINOGRAD_TILES = 56,
  CK_WINOGRAD_DEPTH = 64,
  CK_WINOGRAD_PANELS = 4,
  CK_WINOGRAD_POINTS = 36,
  CK_WINOGRAD_ROW_STRIDE = CK_WINOGRAD_DEPTH + 16,
};
/// Floats from one point's depth block of a panel to the next: not a power of two, for the sake of cache sets.
static inline size_t ck_winograd_panel_stride(size_t columns) { return CK_WINOGRAD_DEPTH * columns + 16; }
/// Channels of which maps are a multiple where Winograd's way is taken, and the narrowest such map.
enum { CK_WINOGRAD_CHANNELS = 16, CK_WINOGRAD_WIDTH = 8 };
/// Columns of a depthwise convolution whose sums stay in registers.
enum { CK_DEPTHWISE_COLUMNS = 12 };
/// Queries and keys of an attention block.
enum { CK_QUERY_BLOCK = 84, CK_KEY_BLOCK = 256 };

/// The same of bfloat16 products, which work on rows and panels of the second-level cache at once: depth is padded to
/// CK_NARROW_PAIR, a grid of narrowed input pixels takes CK_NARROW_GRID_FLOATS.
enum {
  CK_NARROW_PAIR = 32,
  CK_NARROW_ROWS = 512,
  CK_NARROW_PANELS = 16,
  CK_NARROW_GRID_FLOATS = 144 * 1024,
  CK_NARROW_QUERIES = 64,
  CK_NARROW_KEYS = 256,
};

/// Channels of which bfloat16 products narrow the input at once; the order of depth in packed weights follows from it:
/// blocks of channels, then taps, then channels.
static inline size_t ck_channel_block(size_t channels, size_t taps) {
  const size_t units = (channels + CK_NARROW_PAIR - 1) / CK_NARROW_PAIR, most = taps == 1 ? 16 : 5;
  size_t blocks = (units + most - 1) / most;
  const size_t enough = 2 * blocks;
  // Blocks of one size where a few more make that possible: else the last one is filled with zeros.
  for (size_t even = blocks; even <= enough; even++)
    if (even > 0 && units % even == 0) return units / even * CK_NARROW_PAIR;
  return (units + blocks - 1) / blocks * CK_NARROW_PAIR;
}

/// A float rounded to half precision and to bfloat16, to nearest even.
uint16_t ck_half_bits(float value);
uint16_t ck_bfloat16_bits(float value);

/// NULL where the build has no such level.
const ck_table *ck_table_portable(void);
const ck_table *ck_table_neon(void);
const ck_table *ck_table_avx2(void);
const ck_table *ck_table_avx512(void);
const ck_table *ck_table_avx512bf16(void);
const ck_table *ck_table_amx(void);

#endif
