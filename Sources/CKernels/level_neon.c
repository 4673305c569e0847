#include "table.h"

#if defined(__aarch64__)
// The portable body with arm64's fused multiply-add and a tile for its 32 registers.
#define CK_LEVEL_NAME "neon"
#define CK_VECTOR_FLOATS 4
#define CK_TILE_ROWS 12
#define CK_FUSED 1
#define CK_NATIVE_HALF 1
#define CK_WINOGRAD 1
#include "level_vector.h"
#include "level_product.h"
#include "level_winograd.h"
#include "level_attention.h"
#include "level_rows.h"
#include "level_depthwise.h"
#include "level_linear_attention.h"
#include "level_table.h"

const ck_table *ck_table_neon(void) { return &table; }
#else
const ck_table *ck_table_neon(void) { return NULL; }
#endif
