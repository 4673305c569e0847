// Normalisation and elementwise functions.

static void channel_moments(const float *pixels, const float *origin, size_t count, size_t channels, double *sums,
                            double *squares) {
  // Short runs are added in float, relative to the origin so that a large mean does not swallow the spread; the runs
  // in double.
  enum { RUN = 16 };
  for (size_t c = 0; c < channels; c++) sums[c] = 0, squares[c] = 0;
  for (size_t p0 = 0; p0 < count; p0 += RUN) {
    const size_t run = count - p0 < RUN ? count - p0 : RUN;
    const float *block = pixels + p0 * channels;
    for (size_t c = 0; c < channels; c += V) {
      const size_t left = channels - c < V ? channels - c : V;
      vfloat base = left == V ? vload(origin + c) : vload_part(origin + c, left);
      vfloat sum = {0}, square = {0};
      for (size_t p = 0; p < run; p++) {
        const float *x = block + p * channels + c;
        vfloat d = (left == V ? vload(x) : vload_part(x, left)) - base;
        sum += d;
        square = vmuladd(d, d, square);
      }
      for (size_t i = 0; i < left; i++) {
        sums[c + i] += (double)sum[i];
        squares[c + i] += (double)square[i];
      }
    }
  }
}

INLINE void channel_affine_body(const float *x, const float *mean, const float *scale, const float *shift,
                                size_t count, size_t channels, const ck_activation activation, float *out) {
  for (size_t p = 0; p < count; p++, x += channels, out += channels) {
    size_t c = 0;
    for (; c + V <= channels; c += V) {
      vfloat y = vmuladd(vload(x + c) - vload(mean + c), vload(scale + c), vload(shift + c));
      vstore(out + c, activated(activation, y));
    }
    if (c < channels) {
      const size_t left = channels - c;
      vfloat y = vmuladd(vload_part(x + c, left) - vload_part(mean + c, left), vload_part(scale + c, left),
                         vload_part(shift + c, left));
      vstore_part(out + c, activated(activation, y), left);
    }
  }
}

static void channel_affine(const float *x, const float *mean, const float *scale, const float *shift, size_t count,
                           size_t channels, ck_activation activation, float *out) {
  switch (activation) {
    case CK_SILU: channel_affine_body(x, mean, scale, shift, count, channels, CK_SILU, out); break;
    case CK_RELU: channel_affine_body(x, mean, scale, shift, count, channels, CK_RELU, out); break;
    default: channel_affine_body(x, mean, scale, shift, count, channels, CK_IDENTITY, out); break;
  }
}

static void layer_norm(const float *x, const float *scale, const float *shift, float epsilon, size_t rows, size_t width,
                       float *out) {
  for (size_t r = 0; r < rows; r++, x += width, out += width) {
    vfloat sum = {0}, square = {0};
    size_t j = 0;
    for (; j + V <= width; j += V) sum += vload(x + j);
    if (j < width) sum += vload_part(x + j, width - j);
    const float mean = vsum(sum) / (float)width;
    for (j = 0; j + V <= width; j += V) {
      vfloat d = vload(x + j) - mean;
      square = vmuladd(d, d, square);
    }
    float squares = vsum(square);
    for (; j < width; j++) squares += (x[j] - mean) * (x[j] - mean);
    const float inverse = 1.0f / sqrtf(squares / (float)width + epsilon);
    for (j = 0; j + V <= width; j += V)
      vstore(out + j, vmuladd((vload(x + j) - mean) * inverse, vload(scale + j), vload(shift + j)));
    for (; j < width; j++) out[j] = (x[j] - mean) * inverse * scale[j] + shift[j];
  }
}

INLINE void activate_body(const ck_activation kind, const float *x, size_t count, float *out) {
  size_t i = 0;
  for (; i + V <= count; i += V) vstore(out + i, activated(kind, vload(x + i)));
  if (i < count) vstore_part(out + i, activated(kind, vload_part(x + i, count - i)), count - i);
}

static void activate(ck_activation kind, const float *x, size_t count, float *out) {
  switch (kind) {
    case CK_IDENTITY: activate_body(CK_IDENTITY, x, count, out); break;
    case CK_SILU: activate_body(CK_SILU, x, count, out); break;
    case CK_GELU: activate_body(CK_GELU, x, count, out); break;
    case CK_QUICK_GELU: activate_body(CK_QUICK_GELU, x, count, out); break;
    case CK_RELU: activate_body(CK_RELU, x, count, out); break;
    case CK_SIGMOID: activate_body(CK_SIGMOID, x, count, out); break;
    case CK_POSITIVE_ELU: activate_body(CK_POSITIVE_ELU, x, count, out); break;
  }
}

static void geglu(const float *x, size_t rows, size_t width, float *out) {
  for (size_t r = 0; r < rows; r++, x += 2 * width, out += width) {
    size_t j = 0;
    for (; j + V <= width; j += V) vstore(out + j, vload(x + j) * vgelu(vload(x + width + j)));
    if (j < width) {
      const size_t left = width - j;
      vstore_part(out + j, vload_part(x + j, left) * vgelu(vload_part(x + width + j, left)), left);
    }
  }
}

static void combine(const float *a, float alpha, const float *b, float beta, size_t count, float *out) {
  size_t i = 0;
  for (; i + V <= count; i += V) vstore(out + i, vmuladd(vload(a + i), vsplat(alpha), vload(b + i) * beta));
  if (i < count) {
    const size_t left = count - i;
    vstore_part(out + i, vmuladd(vload_part(a + i, left), vsplat(alpha), vload_part(b + i, left) * beta), left);
  }
}

/// a + (b − a) · t, in one rounding after the difference where the level can.
INLINE vfloat vmix(vfloat a, vfloat b, vfloat t) { return vmuladd(b - a, t, a); }

INLINE void mix(const float *a, const float *b, float fraction, size_t count, float *out) {
  size_t i = 0;
  for (; i + V <= count; i += V) vstore(out + i, vmix(vload(a + i), vload(b + i), vsplat(fraction)));
  if (i < count) {
    const size_t rest = count - i;
    vstore_part(out + i, vmix(vload_part(a + i, rest), vload_part(b + i, rest), vsplat(fraction)), rest);
  }
}

static void bilinear_row(const float *above, const float *below, float fraction, size_t width, size_t channels,
                         const uint32_t *left, const uint32_t *right, const float *across, size_t out_width, float *mixed,
                         float *out) {
  mix(above, below, fraction, width * channels, mixed);
  if (channels > 1) {
    for (size_t x = 0; x < out_width; x++)
      mix(mixed + left[x] * channels, mixed + right[x] * channels, across[x], channels, out + x * channels);
    return;
  }
  // A single channel runs along the row instead.
  for (size_t x = 0; x < out_width; x += V) {
    const size_t lanes = out_width - x < V ? out_width - x : V;
    float a[V] = {0}, b[V] = {0};
    for (size_t i = 0; i < lanes; i++) a[i] = mixed[left[x + i]], b[i] = mixed[right[x + i]];
    vfloat t = lanes == V ? vload(across + x) : vload_part(across + x, lanes);
    vfloat y = vmix(vload(a), vload(b), t);
    if (lanes == V) vstore(out + x, y);
    else vstore_part(out + x, y, lanes);
  }
}
