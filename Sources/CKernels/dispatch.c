#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>
#include <string.h>
#include "table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>

/// Whether the kernel lets this process use tiles: it must be asked once, for the registers are large.
static int asks_for_tiles(void) {
  enum { ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  uint64_t supported = 0;
  if (syscall(SYS_arch_prctl, ARCH_GET_XCOMP_SUPP, &supported) != 0) return 0;
  return supported >> XFEATURE_XTILEDATA & 1 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static int allows_tiles(void) {
  enum { UNKNOWN, ALLOWED, REFUSED };
  static _Atomic int answer = UNKNOWN;
  if (answer == UNKNOWN) answer = asks_for_tiles() ? ALLOWED : REFUSED;
  return answer == ALLOWED;
}
#elif defined(__x86_64__)
static int allows_tiles(void) { return 0; }
#endif

#if defined(__x86_64__)
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

static int has_avx512bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }
#endif

const ck_table *ck_table_for(ck_level level) {
  // The builtin also asks whether the operating system saves the wide registers.
  switch (level) {
    case CK_LEVEL_PORTABLE: return ck_table_portable();
    case CK_LEVEL_NEON: return ck_table_neon();
#if defined(__x86_64__)
    case CK_LEVEL_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") ? ck_table_avx2() : NULL;
    case CK_LEVEL_AVX512: return has_avx512() ? ck_table_avx512() : NULL;
    case CK_LEVEL_AVX512BF16: return has_avx512bf16() ? ck_table_avx512bf16() : NULL;
    case CK_LEVEL_AMX:
      return has_avx512bf16() && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && allows_tiles() ? ck_table_amx() : NULL;
#else
    case CK_LEVEL_AVX2:
    case CK_LEVEL_AVX512:
    case CK_LEVEL_AVX512BF16:
    case CK_LEVEL_AMX: return NULL;
#endif
  }
  return NULL;
}

void ck_processor_name(char *name, size_t capacity) {
  if (capacity == 0) return;
  name[0] = 0;
#if defined(__x86_64__)
  unsigned int words[12], highest = __get_cpuid_max(0x80000000u, NULL);
  if (highest < 0x80000004u) return;
  for (unsigned int leaf = 0; leaf < 3; leaf++) {
    unsigned int *w = words + 4 * leaf;
    __get_cpuid(0x80000002u + leaf, w, w + 1, w + 2, w + 3);
  }
  char text[49];
  memcpy(text, words, 48);
  text[48] = 0;
  const char *start = text;
  while (*start == ' ') start++;
  size_t length = strlen(start);
  while (length > 0 && start[length - 1] == ' ') length--;
  if (length >= capacity) length = capacity - 1;
  memcpy(name, start, length);
  name[length] = 0;
#endif
}

size_t ck_core_count(void) {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    int count = CPU_COUNT(&allowed);
    if (count > 0) return (size_t)count;
  }
#endif
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (size_t)count : 1;
}

size_t ck_panel_columns(const ck_table *table) { return table->panel_columns; }
size_t ck_tile_rows(const ck_table *table) { return table->tile_rows; }

int ck_multiplies_bfloat16(const ck_table *table) { return table->multiply_bfloat16 != NULL; }

double ck_peak_operations(const ck_table *table, int bfloat16, size_t turns) {
  return bfloat16 && table->peak_bfloat16 ? table->peak_bfloat16(turns) : table->peak(turns);
}

size_t ck_row_block(const ck_table *table, const ck_product *product) {
  if (product->tiles > 0) return CK_WINOGRAD_TILES;
  return product->storage == CK_STORAGE_PAIRS ? table->rows_together(product) : CK_ROW_BLOCK;
}

static size_t padded(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

size_t ck_winograd_tiles(const ck_table *table, const ck_product *product) {
  if (!table->multiply_winograd || product->storage == CK_STORAGE_PAIRS || product->stride != 1) return 0;
  if (product->kernel_height != 3 || product->kernel_width != 3) return 0;
  if (product->channels % CK_WINOGRAD_CHANNELS != 0 || product->out_width < CK_WINOGRAD_WIDTH) return 0;
  const size_t area = product->out_height * product->out_width;
  const size_t high = (product->out_height + CK_WINOGRAD_SIDE - 1) / CK_WINOGRAD_SIDE;
  const size_t wide = (product->out_width + CK_WINOGRAD_SIDE - 1) / CK_WINOGRAD_SIDE;
  return area == 0 ? 0 : product->rows / area * high * wide;
}

size_t ck_scratch_floats(const ck_table *table, const ck_product *product) {
  const ck_storage storage = product->storage;
  if (product->tiles > 0) {
    const size_t sums = CK_WINOGRAD_PANELS * CK_WINOGRAD_TILES * table->panel_columns;
    return CK_WINOGRAD_POINTS * (CK_WINOGRAD_TILES * CK_WINOGRAD_ROW_STRIDE + ck_winograd_panel_stride(table->panel_columns) + sums);
  }
  if (storage == CK_STORAGE_PAIRS) return CK_NARROW_GRID_FLOATS + CK_NARROW_PANELS * CK_NARROW_ROWS * table->panel_columns;
  const size_t widened = storage == CK_STORAGE_FLOAT32 ? 0 : CK_DEPTH_BLOCK * table->panel_columns;
  return CK_ROW_BLOCK * CK_DEPTH_STRIDE + CK_PANEL_GROUP * CK_ROW_BLOCK * table->panel_columns + widened;
}

static size_t packed_depth(ck_storage storage, size_t channels, size_t taps) {
  return storage == CK_STORAGE_PAIRS ? padded(channels, ck_channel_block(channels, taps)) * taps : channels * taps;
}

size_t ck_packed_bytes(const ck_table *table, ck_storage storage, size_t outputs, size_t channels, size_t taps) {
  return padded(outputs, table->panel_columns) * packed_depth(storage, channels, taps) * (storage == CK_STORAGE_FLOAT32 ? 4 : 2);
}

/// Where a weight is in its panel.
static size_t packed_place(const ck_table *table, ck_storage storage, size_t channels, size_t taps, size_t block, size_t c, size_t t,
                           size_t j) {
  const size_t columns = table->panel_columns;
  if (storage != CK_STORAGE_PAIRS) return (t * channels + c) * columns + j;
  const size_t depth = c / block * block * taps + t * block + c % block;
  return depth / 2 * 2 * columns + 2 * j + depth % 2;
}

typedef float quad __attribute__((vector_size(16)));

/// Four values of each of four rows, turned.
static inline void turn_quads(const float *from, size_t from_stride, float *to, size_t to_stride) {
  quad r[4];
  for (int i = 0; i < 4; i++) memcpy(&r[i], from + (size_t)i * from_stride, sizeof r[i]);
  const quad a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const quad c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  const quad columns[4] = {__builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
                           __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (int i = 0; i < 4; i++) memcpy(to + (size_t)i * to_stride, &columns[i], sizeof columns[i]);
}

void ck_turn(const float *from, size_t from_stride, size_t rows, size_t columns, float *to, size_t to_stride) {
  // A strip of columns at a time: what is written stays in the first-level cache until its lines are full.
  enum { STRIP = 32 };
  for (size_t c0 = 0; c0 < columns; c0 += STRIP) {
    const size_t c1 = columns - c0 < STRIP ? columns : c0 + STRIP;
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      size_t c = c0;
      for (; c + 4 <= c1; c += 4) turn_quads(from + r * from_stride + c, from_stride, to + c * to_stride + r, to_stride);
      for (; c < c1; c++)
        for (size_t i = r; i < r + 4; i++) to[c * to_stride + i] = from[i * from_stride + c];
    }
    for (; r < rows; r++)
      for (size_t c = c0; c < c1; c++) to[c * to_stride + r] = from[r * from_stride + c];
  }
}

void ck_pack_weights(const ck_table *table, ck_storage storage, const float *weights, size_t outputs, size_t channels, size_t taps,
                     void *packed, size_t first, size_t last) {
  const size_t columns = table->panel_columns, depth = channels * taps, whole = packed_depth(storage, channels, taps);
  const size_t block = ck_channel_block(channels, taps);
  // A run of channels of all the panel's outputs at a time, so that what is scattered stays in the first-level cache.
  const size_t run = taps < 64 ? 64 / taps : 1;
  for (size_t panel = first; panel < last; panel++) {
    float *wide = (float *)packed + panel * whole * columns;
    uint16_t *half = (uint16_t *)packed + panel * whole * columns;
    if (storage == CK_STORAGE_PAIRS) memset(half, 0, whole * columns * sizeof *half);
    const size_t present = outputs - panel * columns < columns ? outputs - panel * columns : columns;
    if (storage == CK_STORAGE_FLOAT32 && taps == 1) {
      if (present < columns) memset(wide, 0, depth * columns * sizeof *wide);
      ck_turn(weights + panel * columns * depth, depth, present, depth, wide, columns);
      continue;
    }
    for (size_t c0 = 0; c0 < channels; c0 += run) {
      const size_t c1 = c0 + run < channels ? c0 + run : channels;
      for (size_t j = 0; j < columns; j++) {
        const float *from = weights + (panel * columns + j) * depth;
        for (size_t c = c0; c < c1; c++)
          for (size_t t = 0; t < taps; t++) {
            const float value = j < present ? from[c * taps + t] : 0;
            const size_t place = packed_place(table, storage, channels, taps, block, c, t, j);
            switch (storage) {
              case CK_STORAGE_FLOAT32: wide[place] = value; break;
              case CK_STORAGE_FLOAT16: half[place] = ck_half_bits(value); break;
              case CK_STORAGE_BFLOAT16:
              case CK_STORAGE_PAIRS: half[place] = ck_bfloat16_bits(value); break;
            }
          }
      }
    }
  }
}

void ck_multiply(const ck_table *table, const ck_product *product, size_t row_first, size_t row_last, size_t panel_first, size_t panel_last,
                 float *scratch) {
  if (product->tiles > 0) table->multiply_winograd(product, row_first, row_last, panel_first, panel_last, scratch);
  else if (product->storage == CK_STORAGE_PAIRS) table->multiply_bfloat16(product, row_first, row_last, panel_first, panel_last, scratch);
  else table->multiply(product, row_first, row_last, panel_first, panel_last, scratch);
}

size_t ck_attention_key_floats(const ck_table *table, const ck_attention *attention) {
  if (attention->bfloat16) return padded(attention->key_count, CK_NARROW_PAIR) * padded(attention->width, CK_NARROW_PAIR) / 2;
  return padded(attention->key_count, table->panel_columns) * attention->width;
}

size_t ck_attention_value_floats(const ck_table *table, const ck_attention *attention) {
  const size_t columns = padded(attention->width, table->panel_columns);
  return attention->bfloat16 ? columns * padded(attention->key_count, CK_NARROW_PAIR) / 2 : columns * attention->key_count;
}

size_t ck_attention_scratch_floats(const ck_table *table, const ck_attention *attention) {
  const size_t columns = padded(attention->width, table->panel_columns);
  if (!attention->bfloat16) return CK_QUERY_BLOCK * (CK_KEY_BLOCK + 16 + columns);
  return CK_NARROW_QUERIES * (CK_NARROW_KEYS + CK_NARROW_KEYS / 2 + columns + padded(attention->width, CK_NARROW_PAIR) / 2);
}

size_t ck_attention_block(const ck_attention *attention) { return attention->bfloat16 ? CK_NARROW_QUERIES : CK_QUERY_BLOCK; }

void ck_attention_pack(const ck_table *table, const ck_attention *attention, size_t sample, size_t head) {
  if (attention->bfloat16) table->attention_pack_bfloat16(attention, sample, head);
  else table->attention_pack(attention, sample, head);
}

void ck_attention_attend(const ck_table *table, const ck_attention *attention, size_t sample, size_t head, size_t block, float *scratch) {
  if (attention->bfloat16) table->attention_attend_bfloat16(attention, sample, head, block, scratch);
  else table->attention_attend(attention, sample, head, block, scratch);
}

size_t ck_average_scratch_floats(const ck_table *table, size_t key_count) {
  return CK_QUERY_BLOCK * (padded(key_count, table->panel_columns) + 16);
}

void ck_attention_average(const ck_table *table, const ck_attention *attention, size_t sample, size_t block, float *scratch) {
  table->attention_average(attention, sample, block, scratch);
}

void ck_channel_moments(const ck_table *table, const float *pixels, const float *origin, size_t count, size_t channels, double *sums,
                        double *squares) {
  table->channel_moments(pixels, origin, count, channels, sums, squares);
}

void ck_channel_affine(const ck_table *table, const float *x, const float *mean, const float *scale, const float *shift, size_t count,
                       size_t channels, ck_activation activation, float *out) {
  table->channel_affine(x, mean, scale, shift, count, channels, activation, out);
}

void ck_layer_norm(const ck_table *table, const float *x, const float *scale, const float *shift, float epsilon, size_t rows, size_t width,
                   float *out) {
  table->layer_norm(x, scale, shift, epsilon, rows, width, out);
}

size_t ck_depthwise_scratch_floats(const ck_table *table, const ck_depthwise *convolution, size_t rows) {
  const size_t columns = convolution->width > CK_DEPTHWISE_COLUMNS ? convolution->width : CK_DEPTHWISE_COLUMNS;
  const size_t halo = convolution->kernel - 1;
  return (rows + halo) * (columns + halo) * table->vector_floats;
}

void ck_convolve_depthwise(const ck_table *table, const ck_depthwise *convolution, size_t sample, size_t row_first, size_t row_last,
                           size_t channel_first, size_t channel_last, float *scratch) {
  table->convolve_depthwise(convolution, sample, row_first, row_last, channel_first, channel_last, scratch);
}

void ck_linear_attention_sums(const ck_table *table, const ck_linear_attention *shape, const float *keys, const float *values,
                              const float *before, size_t first, size_t last, float *sums) {
  table->linear_attention_sums(shape, keys, values, before, first, last, sums);
}

void ck_linear_attention_read(const ck_table *table, const ck_linear_attention *shape, const float *queries, const float *sums, float epsilon,
                              const float *residual, size_t first, size_t last, float *output) {
  table->linear_attention_read(shape, queries, sums, epsilon, residual, first, last, output);
}

void ck_activate(const ck_table *table, ck_activation kind, const float *x, size_t count, float *out) { table->activate(kind, x, count, out); }

void ck_geglu(const ck_table *table, const float *x, size_t rows, size_t width, float *out) { table->geglu(x, rows, width, out); }

void ck_combine(const ck_table *table, const float *a, float alpha, const float *b, float beta, size_t count, float *out) {
  table->combine(a, alpha, b, beta, count, out);
}

void ck_bilinear_row(const ck_table *table, const float *above, const float *below, float fraction, size_t width, size_t channels,
                     const uint32_t *left, const uint32_t *right, const float *across, size_t out_width, float *mixed, float *out) {
  table->bilinear_row(above, below, fraction, width, channels, left, right, across, out_width, mixed, out);
}
