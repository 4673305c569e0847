// Linear attention over samples: sums of keys and values at every position, and what queries read of them.
//
// Source: Katharopoulos et al., "Transformers are RNNs" (2020), without its feature map.

/// Rows of the sums that stay in registers while the samples go by.
enum { LINEAR_ROWS = 8 };

/// The first `left` floats of a vector, of which there are V or fewer.
INLINE vfloat vload_first(const float *p, size_t left) { return left >= V ? vload(p) : vload_part(p, left); }

/// Adds every sample's products of keys `row ..< row + rows` with a vector of values. `place`: of the head at this position.
INLINE void linear_attention_block(const ck_linear_attention *s, const float *keys, const float *values, const int rows, size_t left,
                                   const float *before, float *sums) {
  const size_t step = s->positions * s->heads * s->width;
  vfloat sum[LINEAR_ROWS];
  for (int i = 0; i < rows; i++) sum[i] = before ? vload_first(before + (size_t)i * s->width, left) : vsplat(0.0f);
  for (size_t n = 0; n < s->samples; n++) {
    const vfloat value = vload_first(values + n * step, left);
    for (int i = 0; i < rows; i++) sum[i] = vmuladd(vsplat(keys[n * step + (size_t)i]), value, sum[i]);
  }
  for (int i = 0; i < rows; i++) {
    if (left >= V) vstore(sums + (size_t)i * s->width, sum[i]);
    else vstore_part(sums + (size_t)i * s->width, sum[i], left);
  }
}

static void linear_attention_sums(const ck_linear_attention *s, const float *keys, const float *values, const float *before, size_t first,
                                  size_t last, float *sums) {
  const size_t width = s->width, channels = s->heads * width, step = s->positions * channels;
  for (size_t place = first * s->heads; place < last * s->heads; place++) {
    const size_t at = place * (width + 1) * width;
    const float *key = keys + place * width, *value = values + place * width, *old = before ? before + at : NULL;
    for (size_t j = 0; j < width; j += V) {
      const size_t left = width - j;
      for (size_t i = 0; i < width; i += LINEAR_ROWS) {
        const float *old_rows = old ? old + i * width + j : NULL;
        float *rows = sums + at + i * width + j;
        if (width - i >= LINEAR_ROWS) linear_attention_block(s, key + i, value + j, LINEAR_ROWS, left, old_rows, rows);
        else
          for (size_t r = i; r < width; r++)
            linear_attention_block(s, key + r, value + j, 1, left, old ? old + r * width + j : NULL, sums + at + r * width + j);
      }
      vfloat total = old ? vload_first(old + width * width + j, left) : vsplat(0.0f);
      for (size_t n = 0; n < s->samples; n++) total += vload_first(key + n * step + j, left);
      if (left >= V) vstore(sums + at + width * width + j, total);
      else vstore_part(sums + at + width * width + j, total, left);
    }
  }
}

static void linear_attention_read(const ck_linear_attention *s, const float *queries, const float *sums, float epsilon, const float *residual,
                                  size_t first, size_t last, float *output) {
  const size_t width = s->width, step = s->positions * s->heads * width;
  for (size_t place = first * s->heads; place < last * s->heads; place++) {
    const float *rows = sums + place * (width + 1) * width, *totals = rows + width * width;
    for (size_t n = 0; n < s->samples; n++) {
      const size_t at = n * step + place * width;
      const float *query = queries + at;
      vfloat dots = vsplat(0.0f);
      for (size_t j = 0; j < width; j += V) dots = vmuladd(vload_first(query + j, width - j), vload_first(totals + j, width - j), dots);
      const float share = 1.0f / (vsum(dots) + epsilon);
      for (size_t j = 0; j < width; j += V) {
        const size_t left = width - j;
        vfloat sum = vsplat(0.0f);
        for (size_t i = 0; i < width; i++) sum = vmuladd(vsplat(query[i]), vload_first(rows + i * width + j, left), sum);
        sum = vmuladd(sum, vsplat(share), vload_first(residual + at + j, left));
        if (left >= V) vstore(output + at + j, sum);
        else vstore_part(output + at + j, sum, left);
      }
    }
  }
}
