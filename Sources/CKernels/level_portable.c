#include "table.h"

#define CK_LEVEL_NAME "portable"
#define CK_VECTOR_FLOATS 4
#define CK_TILE_ROWS 6
#define CK_FUSED 0
#define CK_NATIVE_HALF 0
#include "level_vector.h"
#include "level_product.h"
#include "level_attention.h"
#include "level_rows.h"
#include "level_depthwise.h"
#include "level_linear_attention.h"
#include "level_table.h"

const ck_table *ck_table_portable(void) { return &table; }
