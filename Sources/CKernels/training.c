// Inner loops that only training needs; see CKernelsTraining.h.

#include <math.h>
#include <string.h>

#include "CKernels.h"
#include "table.h"

static inline float logistic(float x) { return 1.0f / (1.0f + expf(-x)); }

/// Φ(x) + x · φ(x), the slope of the exact GELU.
static inline float gelu_slope(float x) {
  const float cumulative = 0.5f * erfcf(-x * 0.70710678118654752f);
  return cumulative + x * 0.39894228040143268f * expf(-0.5f * x * x);
}

void ck_slope_times(ck_slope kind, const float *at, const float *gradient, float leak, size_t count, float *out) {
  switch (kind) {
    case CK_SLOPE_SILU:
      for (size_t i = 0; i < count; i++) {
        const float s = logistic(at[i]);
        out[i] = gradient[i] * (s * (1.0f + at[i] * (1.0f - s)));
      }
      break;
    case CK_SLOPE_GELU:
      for (size_t i = 0; i < count; i++) out[i] = gradient[i] * gelu_slope(at[i]);
      break;
    case CK_SLOPE_QUICK_GELU:
      for (size_t i = 0; i < count; i++) {
        const float s = logistic(1.702f * at[i]);
        out[i] = gradient[i] * (s + 1.702f * at[i] * s * (1.0f - s));
      }
      break;
    case CK_SLOPE_RELU:
      for (size_t i = 0; i < count; i++) out[i] = at[i] > 0 ? gradient[i] : leak * gradient[i];
      break;
    case CK_SLOPE_SIGMOID:
      for (size_t i = 0; i < count; i++) out[i] = gradient[i] * (at[i] * (1.0f - at[i]));
      break;
    case CK_SLOPE_TANH:
      for (size_t i = 0; i < count; i++) out[i] = gradient[i] * (1.0f - at[i] * at[i]);
      break;
  }
}

void ck_tanh(const float *x, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = tanhf(x[i]);
}

void ck_leaky(const float *x, float leak, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = x[i] > 0 ? x[i] : leak * x[i];
}

void ck_geglu_gradient(const float *x, const float *gradient, size_t rows, size_t width, float *out) {
  for (size_t r = 0; r < rows; r++, x += 2 * width, out += 2 * width, gradient += width) {
    for (size_t j = 0; j < width; j++) {
      const float gate = x[width + j];
      out[j] = gradient[j] * (gate * 0.5f * erfcf(-gate * 0.70710678118654752f));
      out[width + j] = gradient[j] * x[j] * gelu_slope(gate);
    }
  }
}

void ck_times(const float *a, const float *b, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = a[i] * b[i];
}

void ck_add_scaled(const float *a, float factor, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] += a[i] * factor;
}

void ck_softmax(const float *x, size_t rows, size_t width, float *out) {
  for (size_t r = 0; r < rows; r++, x += width, out += width) {
    float largest = x[0];
    for (size_t j = 1; j < width; j++) largest = x[j] > largest ? x[j] : largest;
    double sum = 0;
    for (size_t j = 0; j < width; j++) {
      out[j] = expf(x[j] - largest);
      sum += (double)out[j];
    }
    const float inverse = (float)(1 / sum);
    for (size_t j = 0; j < width; j++) out[j] *= inverse;
  }
}

void ck_softmax_gradient(const float *value, const float *gradient, size_t rows, size_t width, float *out) {
  for (size_t r = 0; r < rows; r++, value += width, gradient += width, out += width) {
    double sum = 0;
    for (size_t j = 0; j < width; j++) sum += (double)(value[j] * gradient[j]);
    const float mean = (float)sum;
    for (size_t j = 0; j < width; j++) out[j] = value[j] * (gradient[j] - mean);
  }
}

void ck_layer_norm_gradient(const float *x, const float *scale, float epsilon, const float *gradient, size_t rows, size_t width, float *out,
                            double *scale_sums, double *shift_sums) {
  for (size_t j = 0; j < width; j++) scale_sums[j] = 0, shift_sums[j] = 0;
  for (size_t r = 0; r < rows; r++, x += width, gradient += width, out += width) {
    double sum = 0, square = 0;
    for (size_t j = 0; j < width; j++) sum += (double)x[j];
    const double mean = sum / (double)width;
    for (size_t j = 0; j < width; j++) square += ((double)x[j] - mean) * ((double)x[j] - mean);
    const double inverse = 1 / sqrt(square / (double)width + (double)epsilon);
    double first = 0, second = 0;
    for (size_t j = 0; j < width; j++) {
      const double normal = ((double)x[j] - mean) * inverse, g = (double)gradient[j];
      scale_sums[j] += g * normal;
      shift_sums[j] += g;
      first += g * (double)scale[j];
      second += g * (double)scale[j] * normal;
    }
    first /= (double)width, second /= (double)width;
    for (size_t j = 0; j < width; j++) {
      const double normal = ((double)x[j] - mean) * inverse;
      out[j] = (float)(inverse * ((double)gradient[j] * (double)scale[j] - first - normal * second));
    }
  }
}

/// Pixels that are added in float before the sum goes on in double, and channels that are worked on at once.
enum { RUN = 16, STRIP = 64 };

void ck_norm_sums(const float *x, const float *mean, const float *gradient, size_t count, size_t channels, double *sums, double *products) {
  for (size_t c = 0; c < channels; c++) sums[c] = 0, products[c] = 0;
  for (size_t p0 = 0; p0 < count; p0 += RUN) {
    const size_t run = count - p0 < RUN ? count - p0 : RUN;
    for (size_t c0 = 0; c0 < channels; c0 += STRIP) {
      const size_t strip = channels - c0 < STRIP ? channels - c0 : STRIP;
      float sum[STRIP] = {0}, product[STRIP] = {0};
      for (size_t p = p0; p < p0 + run; p++) {
        const float *gp = gradient + p * channels + c0, *xp = x + p * channels + c0;
        for (size_t i = 0; i < strip; i++) {
          sum[i] += gp[i];
          product[i] += gp[i] * (xp[i] - mean[c0 + i]);
        }
      }
      for (size_t i = 0; i < strip; i++) {
        sums[c0 + i] += (double)sum[i];
        products[c0 + i] += (double)product[i];
      }
    }
  }
}

void ck_norm_gradient(const float *x, const float *mean, const float *gradient, const float *p, const float *q, const float *r, size_t count,
                      size_t channels, float *out) {
  for (size_t i = 0; i < count; i++, x += channels, gradient += channels, out += channels)
    for (size_t c = 0; c < channels; c++) out[c] = p[c] * gradient[c] + (q[c] * (x[c] - mean[c]) + r[c]);
}

/// The pixel of the stored input that a tap of an output pixel reads; -1 in the padding.
static ptrdiff_t source_pixel(const ck_taps *s, size_t pixel, size_t tap) {
  const ptrdiff_t y = (ptrdiff_t)(pixel / s->out_width * s->stride + tap / s->kernel_width) - (ptrdiff_t)s->pad_top;
  const ptrdiff_t x = (ptrdiff_t)(pixel % s->out_width * s->stride + tap % s->kernel_width) - (ptrdiff_t)s->pad_left;
  if (y < 0 || x < 0 || y >= (ptrdiff_t)(s->height * s->enlargement) || x >= (ptrdiff_t)(s->width * s->enlargement)) return -1;
  return (ptrdiff_t)((size_t)y / s->enlargement * s->width + (size_t)x / s->enlargement);
}

void ck_pack_taps(const ck_table *table, const ck_taps *s, const float *input, size_t row, size_t count, float *packed, size_t first,
                  size_t last) {
  const size_t area = s->out_height * s->out_width, image = s->height * s->width, channels = s->channels;
  const size_t width = s->kernel_height * s->kernel_width * channels, columns = table->panel_columns;
  for (size_t panel = first; panel < last; panel++) {
    float *to = packed + panel * count * columns;
    const size_t c0 = panel * columns, present = width - c0 < columns ? width - c0 : columns;
    for (size_t i = row; i < row + count; i++, to += columns) {
      for (size_t done = 0; done < present;) {
        const size_t channel = (c0 + done) % channels;
        const size_t run = channels - channel < present - done ? channels - channel : present - done;
        const ptrdiff_t pixel = source_pixel(s, i % area, (c0 + done) / channels);
        if (pixel < 0) memset(to + done, 0, run * sizeof(float));
        else memcpy(to + done, input + (i / area * image + (size_t)pixel) * channels + channel, run * sizeof(float));
        done += run;
      }
      memset(to + present, 0, (columns - present) * sizeof(float));
    }
  }
}

void ck_pack_turned(const ck_table *table, const float *weights, size_t outputs, size_t channels, size_t taps, int spread, float *packed,
                    size_t first, size_t last) {
  const size_t columns = table->panel_columns, width = spread ? taps * channels : channels, turns = spread ? 1 : taps;
  for (size_t panel = first; panel < last; panel++) {
    float *to = packed + panel * turns * outputs * columns;
    const size_t present = width - panel * columns < columns ? width - panel * columns : columns;
    size_t place[CK_PANEL_COLUMNS];
    for (size_t j = 0; j < present; j++) {
      const size_t c = panel * columns + j;
      place[j] = spread ? c % channels * taps + c / channels : c * taps + taps - 1;
    }
    for (size_t turn = 0; turn < turns; turn++)
      for (size_t o = 0; o < outputs; o++, to += columns) {
        const float *from = weights + o * channels * taps;
        if (taps == 1) memcpy(to, from + panel * columns, present * sizeof(float));
        else for (size_t j = 0; j < present; j++) to[j] = from[place[j] - turn];
        memset(to + present, 0, (columns - present) * sizeof(float));
      }
  }
}

void ck_scatter_taps(const ck_taps *s, const float *rows, float *image) {
  const size_t channels = s->channels;
  memset(image, 0, s->height * s->width * channels * sizeof(float));
  for (size_t i = 0; i < s->out_height * s->out_width; i++) {
    for (size_t t = 0; t < s->kernel_height * s->kernel_width; t++, rows += channels) {
      const ptrdiff_t pixel = source_pixel(s, i, t);
      if (pixel < 0) continue;
      float *to = image + (size_t)pixel * channels;
      for (size_t c = 0; c < channels; c++) to[c] += rows[c];
    }
  }
}

void ck_bilinear_row_gradient(const float *gradient, size_t out_width, size_t channels, const uint32_t *left, const uint32_t *right,
                              const float *across, float *row) {
  for (size_t x = 0; x < out_width; x++, gradient += channels) {
    float *a = row + left[x] * channels, *b = row + right[x] * channels;
    const float t = across[x];
    for (size_t c = 0; c < channels; c++) a[c] += gradient[c] * (1.0f - t);
    for (size_t c = 0; c < channels; c++) b[c] += gradient[c] * t;
  }
}

double ck_binary_cross_entropy(const float *x, const float *targets, const float *weights, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    const float loss = (x[i] > 0 ? x[i] : 0) - x[i] * targets[i] + log1pf(expf(-fabsf(x[i])));
    sum += (double)(weights ? weights[i] * loss : loss);
  }
  return sum;
}

void ck_binary_cross_entropy_gradient(const float *x, const float *targets, const float *weights, float factor, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) {
    const float slope = factor * (logistic(x[i]) - targets[i]);
    out[i] = weights ? weights[i] * slope : slope;
  }
}

void ck_overlap_sums(const float *x, const float *targets, size_t count, double sums[3]) {
  sums[0] = sums[1] = sums[2] = 0;
  for (size_t i = 0; i < count; i++) {
    const float p = logistic(x[i]);
    sums[0] += (double)(p * targets[i]);
    sums[1] += (double)p;
    sums[2] += (double)targets[i];
  }
}

void ck_overlap_gradient(const float *x, const float *targets, float a, float b, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) {
    const float p = logistic(x[i]);
    out[i] = (a * targets[i] + b) * (p * (1.0f - p));
  }
}

void ck_adam_update(const ck_adam *adam, const float *gradient, float gradient_factor, size_t count, const float *weight, const float *mean,
                    const float *square, float *new_weight, float *new_mean, float *new_square) {
  const ck_adam a = *adam;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i] * gradient_factor;
    const float w = weight[i] - a.decay * weight[i];
    const float m = mean[i] + (g - mean[i]) * a.mean_rate;
    const float v = square[i] * a.square_keep + a.square_rate * g * g;
    new_mean[i] = m;
    new_square[i] = v;
    new_weight[i] = w - a.step_size * (m / (sqrtf(v) * a.root_correction + a.epsilon));
  }
}

double ck_sum_of_squares(const float *x, size_t count) {
  double lanes[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += (double)x[i + j] * (double)x[i + j];
  for (; i < count; i++) lanes[0] += (double)x[i] * (double)x[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

double ck_sum(const float *x, size_t count) {
  double lanes[8] = {0};
  size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (size_t j = 0; j < 8; j++) lanes[j] += (double)x[i + j];
  for (; i < count; i++) lanes[0] += (double)x[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}
