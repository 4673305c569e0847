#ifndef TRIPTYCH_CKERNELS_TRAINING_H
#define TRIPTYCH_CKERNELS_TRAINING_H
#include "CKernels.h"

// Inner loops that only training needs: gradients, losses, optimisers. One portable body each: they are bound by memory.
// Conventions and types as in CKernels.h, which includes this file at its end.

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Activations

/// Functions of one number whose slope is known from their argument or from their value.
typedef enum {
  CK_SLOPE_SILU,        ///< `at` is the argument
  CK_SLOPE_GELU,        ///< `at` is the argument
  CK_SLOPE_QUICK_GELU,  ///< `at` is the argument
  CK_SLOPE_RELU,        ///< `at` is the argument or the value; 0 at 0; `leak` below it
  CK_SLOPE_SIGMOID,     ///< `at` is the value
  CK_SLOPE_TANH,        ///< `at` is the value
} ck_slope;

/// gradient · slope; `out` may be `gradient`.
void ck_slope_times(ck_slope kind, const float *at, const float *gradient, float leak, size_t count, float *out);
/// The hyperbolic tangent.
void ck_tanh(const float *x, size_t count, float *out);
/// x, times `leak` where negative.
void ck_leaky(const float *x, float leak, size_t count, float *out);
/// Rows of 2·width as `ck_geglu` takes them, and the gradient of its rows of width, to the gradient of the former.
void ck_geglu_gradient(const float *x, const float *gradient, size_t rows, size_t width, float *out);

// MARK: Elementwise; `out` may be an input

/// a · b.
void ck_times(const float *a, const float *b, size_t count, float *out);
/// out + a · factor.
void ck_add_scaled(const float *a, float factor, size_t count, float *out);

// MARK: Rows

/// e^x over its sum in each row; `out` may be `x`.
void ck_softmax(const float *x, size_t rows, size_t width, float *out);
/// value · (gradient − Σ gradient · value) in each row; `out` may be either.
void ck_softmax_gradient(const float *value, const float *gradient, size_t rows, size_t width, float *out);
/// Gradient of `ck_layer_norm` for its input, and this block's sums for scale and shift [width], which are set.
void ck_layer_norm_gradient(const float *x, const float *scale, float epsilon, const float *gradient, size_t rows, size_t width, float *out,
                            double *scale_sums, double *shift_sums);

// MARK: Normalisation of feature maps

/// Adds up, per channel, `count` pixels of gradient and of gradient · (x − mean): both sums are set.
void ck_norm_sums(const float *x, const float *mean, const float *gradient, size_t count, size_t channels, double *sums, double *products);
/// p · gradient + q · (x − mean) + r per channel.
void ck_norm_gradient(const float *x, const float *mean, const float *gradient, const float *p, const float *q, const float *r, size_t count,
                      size_t channels, float *out);

// MARK: Convolutions

/// Where a convolution's rows lie in its input; as in `ck_product`.
typedef struct {
  size_t height, width, channels;
  size_t kernel_height, kernel_width;
  size_t stride, pad_top, pad_left;
  size_t enlargement;
  size_t out_height, out_width;
} ck_taps;

/// Packs the taps of output rows `row ..< row + count` as weights of a product whose depth is those rows and whose columns are
/// taps, then channels: panels `first ..< last`, in floats.
void ck_pack_taps(const ck_table *table, const ck_taps *shape, const float *input, size_t row, size_t count, float *packed, size_t first,
                  size_t last);
/// Packs panels `first ..< last` of weights [outputs, channels, taps] for the way back, in floats. Mirrored: columns are channels, depth
/// is taps from the last to the first, then outputs. Spread: columns are taps, then channels, depth is outputs.
void ck_pack_turned(const ck_table *table, const float *weights, size_t outputs, size_t channels, size_t taps, int spread, float *packed,
                    size_t first, size_t last);
/// Adds one sample's rows [out_height · out_width, kernel_height · kernel_width · channels] to where they came from:
/// `image` [height, width, channels] is set.
void ck_scatter_taps(const ck_taps *shape, const float *rows, float *image);

// MARK: Resizing

/// Adds a resized row's gradient [out_width, channels] to the row it was mixed from, as `ck_bilinear_row` mixes along it.
void ck_bilinear_row_gradient(const float *gradient, size_t out_width, size_t channels, const uint32_t *left, const uint32_t *right,
                              const float *across, float *row);

// MARK: Losses; sums over `count` logits

/// Σ weight · (max(x, 0) − x · target + log(1 + e^−|x|)); `weights` may be NULL.
double ck_binary_cross_entropy(const float *x, const float *targets, const float *weights, size_t count);
/// factor · weight · (sigmoid(x) − target).
void ck_binary_cross_entropy_gradient(const float *x, const float *targets, const float *weights, float factor, size_t count, float *out);
/// Σ p · target, Σ p and Σ target with p = sigmoid(x).
void ck_overlap_sums(const float *x, const float *targets, size_t count, double sums[3]);
/// (a · target + b) · p · (1 − p) with p = sigmoid(x).
void ck_overlap_gradient(const float *x, const float *targets, float a, float b, size_t count, float *out);

// MARK: Optimisers

/// One step of AdamW; the results may be written over what they are made from. `step_size` and `root_correction` hold the bias corrections:
/// w −= decay · w; m += mean_rate · (g − m); v = square_keep · v + square_rate · g²;
/// w −= step_size · m / (√v · root_correction + ε).
typedef struct {
  float decay, mean_rate, square_keep, square_rate, epsilon, step_size, root_correction;
} ck_adam;
void ck_adam_update(const ck_adam *adam, const float *gradient, float gradient_factor, size_t count, const float *weight, const float *mean,
                    const float *square, float *new_weight, float *new_mean, float *new_square);
/// Σ x².
double ck_sum_of_squares(const float *x, size_t count);
/// Σ x.
double ck_sum(const float *x, size_t count);

#ifdef __cplusplus
}
#endif
#endif
