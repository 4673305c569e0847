#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>
#include <string.h>
#include "table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

const ck_table *ck_table_for(ck_level level) {
  // The builtin also asks whether the operating system saves the wide registers.
  switch (level) {
    case CK_LEVEL_PORTABLE: return ck_table_portable();
    case CK_LEVEL_NEON: return ck_table_neon();
#if defined(__x86_64__)
    case CK_LEVEL_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? ck_table_avx2() : NULL;
    case CK_LEVEL_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("fma")
                 ? ck_table_avx512()
                 : NULL;
#else
    case CK_LEVEL_AVX2:
    case CK_LEVEL_AVX512: return NULL;
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

size_t ck_row_block(void) { return CK_ROW_BLOCK; }

static size_t padded(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

size_t ck_scratch_floats(const ck_table *table) {
  return CK_ROW_BLOCK * CK_DEPTH_STRIDE + CK_PANEL_GROUP * CK_ROW_BLOCK * table->panel_columns;
}

size_t ck_packed_floats(const ck_table *table, size_t outputs, size_t depth) { return padded(outputs, table->panel_columns) * depth; }

void ck_pack_weights(const ck_table *table, const float *weights, size_t outputs, size_t channels, size_t taps, float *packed, size_t first,
                     size_t last) {
  const size_t columns = table->panel_columns, depth = channels * taps;
  // A run of channels of all the panel's outputs at a time, so that what is scattered stays in the first-level cache.
  const size_t run = taps < 64 ? 64 / taps : 1;
  for (size_t panel = first; panel < last; panel++) {
    float *to = packed + panel * depth * columns;
    const size_t present = outputs - panel * columns < columns ? outputs - panel * columns : columns;
    for (size_t c0 = 0; c0 < channels; c0 += run) {
      const size_t c1 = c0 + run < channels ? c0 + run : channels;
      for (size_t j = 0; j < columns; j++) {
        const float *from = weights + (panel * columns + j) * depth;
        for (size_t c = c0; c < c1; c++)
          for (size_t t = 0; t < taps; t++)
            to[(t * channels + c) * columns + j] = j < present ? from[c * taps + t] : 0;
      }
    }
  }
}

void ck_multiply(const ck_table *table, const ck_product *product, size_t row_first, size_t row_last, size_t panel_first, size_t panel_last,
                 float *scratch) {
  table->multiply(product, row_first, row_last, panel_first, panel_last, scratch);
}

size_t ck_attention_key_floats(const ck_table *table, size_t key_count, size_t width) {
  return padded(key_count, table->panel_columns) * width;
}

size_t ck_attention_value_floats(const ck_table *table, size_t key_count, size_t width) {
  return padded(width, table->panel_columns) * key_count;
}

size_t ck_attention_scratch_floats(const ck_table *table, size_t width) {
  return CK_QUERY_BLOCK * (CK_KEY_BLOCK + 16 + padded(width, table->panel_columns));
}

size_t ck_attention_block(void) { return CK_QUERY_BLOCK; }

void ck_attention_pack(const ck_table *table, const ck_attention *attention, size_t sample, size_t head) {
  table->attention_pack(attention, sample, head);
}

void ck_attention_attend(const ck_table *table, const ck_attention *attention, size_t sample, size_t head, size_t block, float *scratch) {
  table->attention_attend(attention, sample, head, block, scratch);
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
                       size_t channels, int silu, float *out) {
  table->channel_affine(x, mean, scale, shift, count, channels, silu, out);
}

void ck_layer_norm(const ck_table *table, const float *x, const float *scale, const float *shift, float epsilon, size_t rows, size_t width,
                   float *out) {
  table->layer_norm(x, scale, shift, epsilon, rows, width, out);
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
