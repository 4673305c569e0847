#include "table.h"

#if defined(__x86_64__)
#define CK_LEVEL_NAME "avx512"
#define CK_VECTOR_FLOATS 16
#define CK_TILE_ROWS 14
#define CK_FUSED 1
#define CK_NATIVE_HALF 1
#define CK_WINOGRAD 1
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#include "level_vector.h"
#include "level_product.h"
#include "level_winograd.h"
#include "level_attention.h"
#include "level_rows.h"
#include "level_depthwise.h"
#include "level_linear_attention.h"
#include "level_table.h"
#pragma clang attribute pop

const ck_table *ck_table_avx512(void) { return &table; }
#else
const ck_table *ck_table_avx512(void) { return NULL; }
#endif
