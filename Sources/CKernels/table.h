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
  void (*attention_pack)(const ck_attention *, size_t, size_t);
  void (*attention_attend)(const ck_attention *, size_t, size_t, size_t, float *);
  void (*attention_average)(const ck_attention *, size_t, size_t, float *);
  void (*channel_moments)(const float *, const float *, size_t, size_t, double *, double *);
  void (*channel_affine)(const float *, const float *, const float *, const float *, size_t, size_t, int, float *);
  void (*layer_norm)(const float *, const float *, const float *, float, size_t, size_t, float *);
  void (*activate)(ck_activation, const float *, size_t, float *);
  void (*geglu)(const float *, size_t, size_t, float *);
  void (*combine)(const float *, float, const float *, float, size_t, float *);
  void (*bilinear_row)(const float *, const float *, float, size_t, size_t, const uint32_t *, const uint32_t *, const float *, size_t, float *,
                       float *);
};

/// Rows gathered at once and depth summed at once by a product. A depth block of a panel (CK_DEPTH_BLOCK × 32 floats)
/// stays in the first-level cache beside a tile's rows; a block of rows stays in the second level.
enum { CK_ROW_BLOCK = 168, CK_DEPTH_BLOCK = 256, CK_DEPTH_STRIDE = CK_DEPTH_BLOCK + 16 };
/// Queries and keys of an attention block.
/// Panels whose sums are kept at once, so that gathered rows are used that often.
enum { CK_PANEL_GROUP = 10 };
enum { CK_QUERY_BLOCK = 84, CK_KEY_BLOCK = 256 };

/// NULL where the build has no such level.
const ck_table *ck_table_portable(void);
const ck_table *ck_table_neon(void);
const ck_table *ck_table_avx2(void);
const ck_table *ck_table_avx512(void);

#endif
