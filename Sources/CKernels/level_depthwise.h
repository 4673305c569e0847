// Depthwise convolutions: vectors along the channels, several output columns in registers.

/// Copies a vector of channels of rows `first ..< last` to `to` [rows][columns + halo][V], with zeros beside each row.
static void depthwise_gather(const ck_depthwise *p, const float *image, size_t first, size_t last, size_t channel, size_t columns,
                             float *to) {
  const size_t pad = p->kernel / 2, left = p->channels - channel;
  for (size_t y = first; y < last; y++) {
    const float *from = image + y * p->width * p->channels + channel;
    memset(to, 0, pad * V * sizeof(float));
    to += pad * V;
    for (size_t x = 0; x < p->width; x++, to += V, from += p->channels)
      vstore(to, left >= V ? vload(from) : vload_part(from, left));
    const size_t behind = columns - p->width + pad;
    memset(to, 0, behind * V * sizeof(float));
    to += behind * V;
  }
}

/// CK_DEPTHWISE_COLUMNS columns of one output row, from `high` rows of taps.
INLINE void depthwise_columns(const float *rows, size_t row_floats, size_t high, size_t kernel, const float *weights, size_t weight_stride,
                              vfloat bias, vfloat *sums) {
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_DEPTHWISE_COLUMNS; i++) sums[i] = bias;
  for (size_t ky = 0; ky < high; ky++, rows += row_floats)
    for (size_t kx = 0; kx < kernel; kx++, weights += weight_stride) {
      const vfloat weight = vload(weights);
      const float *from = rows + kx * V;
#pragma clang loop unroll(full)
      for (int i = 0; i < CK_DEPTHWISE_COLUMNS; i++) sums[i] = vmuladd(vload(from + i * V), weight, sums[i]);
    }
}

static void convolve_depthwise(const ck_depthwise *p, size_t sample, size_t row_first, size_t row_last, size_t channel_first,
                               size_t channel_last, float *scratch) {
  enum { COLUMNS = CK_DEPTHWISE_COLUMNS };
  const size_t pad = p->kernel / 2, columns = p->width > COLUMNS ? p->width : COLUMNS;
  const size_t first = row_first > pad ? row_first - pad : 0;
  const size_t last = row_last + pad < p->height ? row_last + pad : p->height;
  const size_t row_floats = (columns + 2 * pad) * V;
  const float *image = p->input + sample * p->height * p->width * p->channels;
  float *output = p->output + sample * p->height * p->width * p->channels;
  for (size_t c = channel_first; c < channel_last; c += V) {
    const size_t left = channel_last - c;
    depthwise_gather(p, image, first, last, c, columns, scratch);
    const vfloat bias = vload(p->bias + c);
    for (size_t y = row_first; y < row_last; y++) {
      // Taps beyond the map's first and last row are left out.
      const size_t above = y < pad ? pad - y : 0, below = y + pad < p->height ? 0 : y + pad + 1 - p->height;
      const float *rows = scratch + (y + above - pad - first) * row_floats;
      const float *weights = p->weights + above * p->kernel * p->weight_stride + c;
      for (size_t x = 0; x < p->width; x += COLUMNS) {
        // The last columns of a row are computed together with some that are finished already.
        const size_t start = x + COLUMNS <= columns ? x : columns - COLUMNS;
        const size_t count = p->width - start < COLUMNS ? p->width - start : COLUMNS;
        vfloat sums[COLUMNS];
        depthwise_columns(rows + start * V, row_floats, p->kernel - above - below, p->kernel, weights, p->weight_stride, bias, sums);
        float *to = output + (y * p->width + start) * p->channels + c;
        for (size_t i = 0; i < count; i++, to += p->channels) {
          if (left >= V) vstore(to, sums[i]);
          else vstore_part(to, sums[i], left);
        }
      }
    }
  }
}
