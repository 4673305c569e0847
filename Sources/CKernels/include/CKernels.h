#ifndef TRIPTYCH_CKERNELS_H
#define TRIPTYCH_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

// Inner loops of the tensor operations, one C body compiled for several instruction sets.
//
// Conventions: all arrays are row-major and dense unless a stride is named; pointers need only the alignment of
// their element; outputs never alias inputs unless a comment allows it. Nothing allocates, prints or keeps state,
// so every function may run on many threads at once. Sizes are trusted: callers validate.

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Levels

/// Instruction sets a table of kernels exists for, weakest first.
typedef enum {
  CK_LEVEL_PORTABLE = 0,  ///< 128-bit vectors of the baseline (SSE2, or NEON without its name)
  CK_LEVEL_NEON = 1,      ///< 128-bit vectors, fused multiply-add, 32 registers (arm64)
  CK_LEVEL_AVX2 = 2,      ///< 256-bit vectors, fused multiply-add
  CK_LEVEL_AVX512 = 3,    ///< 512-bit vectors (F, BW, DQ, VL)
  CK_LEVEL_AVX512BF16 = 4,  ///< the same floats, and bfloat16 products of vectors
  CK_LEVEL_AMX = 5,       ///< the same floats, and bfloat16 products of tiles
} ck_level;

/// The kernels of one level. Packed weights belong to the table they were packed for.
typedef struct ck_table ck_table;

/// The table of a level; NULL where this build or this processor cannot run it, or the kernel does not allow tiles.
const ck_table *ck_table_for(ck_level level);
/// The processor's own name, at most `capacity` bytes with the final zero; empty where it cannot be told.
void ck_processor_name(char *name, size_t capacity);
/// Cores that this process may run on, at least 1.
size_t ck_core_count(void);

/// Tells the processor that a loop is waiting for another thread.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// MARK: Products

/// Columns of a weight panel.
size_t ck_panel_columns(const ck_table *table);
/// Rows that are worked on at once; work is best cut at multiples of it.
size_t ck_tile_rows(const ck_table *table);
/// Whether the level multiplies in bfloat16.
int ck_multiplies_bfloat16(const ck_table *table);
/// Multiplications and additions of `turns` turns of a loop in registers, the most a core can do at this level: floats,
/// or bfloat16 where `bfloat16`.
double ck_peak_operations(const ck_table *table, int bfloat16, size_t turns);

/// Functions of one number; the identity where a product or a norm is to be left as it is.
typedef enum {
  CK_IDENTITY = 0,
  CK_SILU = 1,
  CK_GELU = 2,
  CK_QUICK_GELU = 3,
  CK_RELU = 4,
  CK_SIGMOID = 5,
  CK_POSITIVE_ELU = 6,  ///< x + 1 above 0, e^x below
} ck_activation;

/// How packed weights are stored, and so how they are multiplied: the first three as floats.
typedef enum {
  CK_STORAGE_FLOAT32 = 0,
  CK_STORAGE_FLOAT16 = 1,   ///< widened block by block
  CK_STORAGE_BFLOAT16 = 2,  ///< widened block by block
  CK_STORAGE_PAIRS = 3,     ///< bfloat16 in pairs of depth: products in bfloat16
} ck_storage;

/// Output rows and columns of a tile of Winograd's convolutions: where a map is cut in bands of rows, they begin at a multiple
/// of it, and have the bytes of the whole map.
enum { CK_WINOGRAD_SIDE = 4 };

/// A linear map or a convolution as one matrix product: rows are pixels (or tokens), depth is taps × channels.
typedef struct {
  const float *input;      ///< [samples, height, width, channels]; a linear map has height 1 and width = rows
  size_t height, width;    ///< of the stored input
  size_t channels;
  size_t kernel_height, kernel_width;
  size_t stride;
  size_t pad_top, pad_left;
  size_t enlargement;      ///< 1, or 2 where the input is doubled by nearest neighbour on the fly
  size_t out_height, out_width;
  size_t rows;             ///< samples × out_height × out_width
  const void *packed;      ///< from ck_pack_weights
  ck_storage storage;
  size_t columns;          ///< outputs
  const float *bias;       ///< [columns] or NULL
  const float *shift;      ///< [samples, columns] or NULL, added to every pixel of its sample
  const float *residual;   ///< [rows, columns] or NULL; may be `output` itself
  int residual_is_shared;  ///< whether `residual` has the rows of one sample, and is added to every one
  ck_activation activation;  ///< of what all that adds up to
  float *output;           ///< [rows, columns]
  size_t tiles;            ///< 0, or ck_winograd_tiles(): the product is computed by tiles, which then are its rows
} ck_product;

/// Tiles of 4×4 output pixels by which Winograd's algorithm computes a product in float, whatever `tiles` says; 0 where it
/// does not pay or the level is the direct reference. Whether it does depends on nothing that a batch or a band changes.
size_t ck_winograd_tiles(const ck_table *table, const ck_product *product);
/// Rows that are gathered together; a product is best cut into pieces of at least as many, at multiples of
/// ck_tile_rows or, for pairs, of so many.
size_t ck_row_block(const ck_table *table, const ck_product *product);
/// Floats of scratch one thread needs for a product.
size_t ck_scratch_floats(const ck_table *table, const ck_product *product);
/// Bytes that packed weights of this size take.
size_t ck_packed_bytes(const ck_table *table, ck_storage storage, size_t outputs, size_t channels, size_t taps);
/// Packs panels `first ..< last` of weights [outputs, channels, taps] (a linear map has one tap). Depth order in the packed
/// form is taps, then channels; in pairs blocks of channels come first. What does not fit is rounded to nearest even.
void ck_pack_weights(const ck_table *table, ck_storage storage, const float *weights, size_t outputs, size_t channels, size_t taps,
                     void *packed, size_t first, size_t last);
/// Rows [rows, columns], `from_stride` apart, as rows [columns, rows], `to_stride` apart.
void ck_turn(const float *from, size_t from_stride, size_t rows, size_t columns, float *to, size_t to_stride);
/// Computes rows (or tiles) `row_first ..< row_last` of panels `panel_first ..< panel_last`. Every element is summed in the same
/// order however the product is cut. Pairs: at most 9 taps, strides up to 4. `scratch`: ck_scratch_floats().
void ck_multiply(const ck_table *table, const ck_product *product, size_t row_first, size_t row_last, size_t panel_first, size_t panel_last,
                 float *scratch);

// MARK: Attention

/// Scaled dot-product attention with heads side by side in the last axis.
typedef struct {
  const float *queries;    ///< [samples, query_count, query_stride]
  const float *keys;       ///< [samples, key_count, key_stride]
  const float *values;     ///< [samples, key_count, value_stride]
  size_t samples, query_count, key_count, heads, width;
  size_t query_stride, key_stride, value_stride;  ///< floats from one token to the next
  int causal;              ///< position t sees keys 0…t only
  int bfloat16;            ///< products in bfloat16, not causal, where the level has them
  float *packed_keys;      ///< samples × heads × ck_attention_key_floats
  float *packed_values;    ///< samples × heads × ck_attention_value_floats; NULL where only weights are averaged
  float *output;           ///< [samples, query_count, heads × width]
} ck_attention;

/// Floats of packed keys or values a head takes.
size_t ck_attention_key_floats(const ck_table *table, const ck_attention *attention);
size_t ck_attention_value_floats(const ck_table *table, const ck_attention *attention);
/// Floats of scratch one thread needs.
size_t ck_attention_scratch_floats(const ck_table *table, const ck_attention *attention);
/// Queries a call works on.
size_t ck_attention_block(const ck_attention *attention);
/// Packs keys and values of one head; all heads must be packed before any block is attended.
void ck_attention_pack(const ck_table *table, const ck_attention *attention, size_t sample, size_t head);
/// Computes one block of queries of one head.
void ck_attention_attend(const ck_table *table, const ck_attention *attention, size_t sample, size_t head, size_t block, float *scratch);
/// Floats of scratch one thread needs to average weights over this many keys.
size_t ck_average_scratch_floats(const ck_table *table, size_t key_count);
/// Computes, for one block of queries, the mean over all heads of the weights of every key: `output` is
/// [samples, query_count, key_count]. Keys must be packed as floats; values are not read, `causal` is not kept to.
void ck_attention_average(const ck_table *table, const ck_attention *attention, size_t sample, size_t block, float *scratch);

// MARK: Normalisation

/// Adds up, per channel and relative to the sample's first pixel, `count` pixels of a feature map [.., channels]:
/// `sums` and `squares` are set.
void ck_channel_moments(const ck_table *table, const float *pixels, const float *origin, size_t count, size_t channels, double *sums,
                        double *squares);
/// (x − mean) · scale + shift per channel, then SiLU, ReLU or nothing more; `out` may be `x`.
void ck_channel_affine(const ck_table *table, const float *x, const float *mean, const float *scale, const float *shift, size_t count,
                       size_t channels, ck_activation activation, float *out);
/// Layer normalisation of rows; `out` may be `x`.
void ck_layer_norm(const ck_table *table, const float *x, const float *scale, const float *shift, float epsilon, size_t rows, size_t width,
                   float *out);

// MARK: Depthwise convolution

/// A convolution of every channel with its own kernel, stride 1, padded with zeros to the size of its input.
typedef struct {
  const float *input;    ///< [samples, height, width, channels]
  size_t height, width, channels;
  size_t kernel;         ///< taps along a side, odd
  const float *weights;  ///< [kernel · kernel, weight_stride], zeros behind the channels
  const float *bias;     ///< [weight_stride], zeros behind the channels
  size_t weight_stride;  ///< the channels, rounded up to a multiple of CK_DEPTHWISE_CHANNELS
  float *output;         ///< as `input`
} ck_depthwise;

/// Channels that packed weights are a multiple of, and that work is best cut at multiples of.
enum { CK_DEPTHWISE_CHANNELS = 16 };

/// Floats of scratch one thread needs for `rows` output rows.
size_t ck_depthwise_scratch_floats(const ck_table *table, const ck_depthwise *convolution, size_t rows);
/// Computes rows `row_first ..< row_last` of channels `channel_first ..< channel_last` of one sample.
void ck_convolve_depthwise(const ck_table *table, const ck_depthwise *convolution, size_t sample, size_t row_first, size_t row_last,
                           size_t channel_first, size_t channel_last, float *scratch);

// MARK: Linear attention over samples, at every position for itself

/// Sizes of queries, keys and values [samples, positions, heads × width].
typedef struct {
  size_t samples, positions, heads, width;
} ck_linear_attention;

/// For positions `first ..< last`, what the samples add to the sums [positions, heads, width + 1, width]: Σ kᵢ vⱼ in rows, then
/// Σ kᵢ. `before` is what there was, or NULL; `sums` may be `before`.
void ck_linear_attention_sums(const ck_table *table, const ck_linear_attention *shape, const float *keys, const float *values,
                              const float *before, size_t first, size_t last, float *sums);
/// residual + (q · Σ k v) / (q · Σ k + epsilon) at positions `first ..< last` of every sample; `output` may be `residual` or `queries`.
void ck_linear_attention_read(const ck_table *table, const ck_linear_attention *shape, const float *queries, const float *sums, float epsilon,
                              const float *residual, size_t first, size_t last, float *output);

// MARK: Elementwise; `out` may be an input

void ck_activate(const ck_table *table, ck_activation kind, const float *x, size_t count, float *out);
/// First half of each row of 2·width times the GELU of the second half.
void ck_geglu(const ck_table *table, const float *x, size_t rows, size_t width, float *out);
/// alpha · a + beta · b.
void ck_combine(const ck_table *table, const float *a, float alpha, const float *b, float beta, size_t count, float *out);

// MARK: Resizing

/// One row of a resized feature map: `above` and `below` [width, channels] are mixed (`fraction` of the way down), then
/// out[x] = mixed[left[x]] + (mixed[right[x]] − mixed[left[x]]) · across[x] for each of `out_width` pixels.
/// `mixed`: width × channels floats of scratch.
void ck_bilinear_row(const ck_table *table, const float *above, const float *below, float fraction, size_t width, size_t channels,
                     const uint32_t *left, const uint32_t *right, const float *across, size_t out_width, float *mixed, float *out);

// MARK: Half precision

/// Half and bfloat16 rows to float.
void ck_float_from_half(const void *source, float *destination, size_t count);
void ck_float_from_bfloat16(const void *source, float *destination, size_t count);
/// Float rows to half and bfloat16, rounded to nearest even.
void ck_half_from_float(const float *source, void *destination, size_t count);
void ck_bfloat16_from_float(const float *source, void *destination, size_t count);
/// 1 if every value is finite.
int ck_all_finite(const float *source, size_t count);

#ifdef __cplusplus
}
#endif

#include "CKernelsTraining.h"

#endif
