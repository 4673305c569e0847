// Attention in blocks of queries and keys with a running softmax; no row of scores is ever whole in memory.

INLINE size_t padded(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

static void attention_pack(const ck_attention *t, size_t sample, size_t head) {
  const size_t width = t->width, count = t->key_count, index = sample * t->heads + head;
  const float *keys = t->keys + sample * count * t->key_stride + head * width;
  // Keys: panels of NR keys, [panel][width][NR]; values: panels of NR columns, [panel][keys][NR].
  float *packed = t->packed_keys + index * padded(count, NR) * width;
  for (size_t panel = 0; panel * NR < count; panel++) {
    float *to = packed + panel * width * NR;
    const size_t present = count - panel * NR < NR ? count - panel * NR : NR;
    for (size_t j = 0; j < NR; j++) {
      const float *key = keys + (panel * NR + j) * t->key_stride;
      for (size_t k = 0; k < width; k++) to[k * NR + j] = j < present ? key[k] : 0;
    }
  }
  if (!t->packed_values) return;
  const float *values = t->values + sample * count * t->value_stride + head * width;
  packed = t->packed_values + index * count * padded(width, NR);
  for (size_t panel = 0; panel * NR < width; panel++) {
    const size_t present = width - panel * NR < NR ? width - panel * NR : NR;
    for (size_t i = 0; i < count; i++) {
      float *to = packed + (panel * count + i) * NR;
      memcpy(to, values + i * t->value_stride + panel * NR, present * sizeof(float));
      memset(to + present, 0, (NR - present) * sizeof(float));
    }
  }
}

/// Scores to weights e^(score·scale − top) in place, one row; returns their sum. Columns from `visible` on get 0.
INLINE float weigh_row(float *row, size_t columns, size_t visible, float scale, float top) {
  vfloat sum = {0};
  size_t j = 0;
  for (; j + V <= visible; j += V) {
    vfloat weight = vexp(vmuladd(vload(row + j), vsplat(scale), vsplat(-top)));
    vstore(row + j, weight);
    sum += weight;
  }
  float total = vsum(sum);
  if (j < visible) {
    float lanes[V];
    vstore(lanes, vexp(vmuladd(vload_part(row + j, visible - j), vsplat(scale), vsplat(-top))));
    for (size_t i = 0; j < visible; i++, j++) {
      row[j] = lanes[i];
      total += lanes[i];
    }
  }
  if (j < columns) memset(row + j, 0, (columns - j) * sizeof(float));
  return total;
}

INLINE float row_top(const float *row, size_t visible) {
  vfloat top = vsplat(-INFINITY);
  size_t j = 0;
  for (; j + V <= visible; j += V) top = vmax(top, vload(row + j));
  float best = vtop(top);
  for (; j < visible; j++) best = row[j] > best ? row[j] : best;
  return best;
}

static void attention_attend(const ck_attention *t, size_t sample, size_t head, size_t block, float *scratch) {
  const size_t width = t->width, count = t->key_count, index = sample * t->heads + head;
  const size_t wide = padded(width, NR), score_stride = CK_KEY_BLOCK + 16;
  const size_t first = block * CK_QUERY_BLOCK;
  const size_t rows = t->query_count - first < CK_QUERY_BLOCK ? t->query_count - first : CK_QUERY_BLOCK;
  const float scale = 1.0f / sqrtf((float)width);
  const float *queries = t->queries + (sample * t->query_count + first) * t->query_stride + head * width;
  const float *keys = t->packed_keys + index * padded(count, NR) * width;
  const float *values = t->packed_values + index * count * wide;
  float *scores = scratch, *mixed = scratch + CK_QUERY_BLOCK * score_stride;
  float top[CK_QUERY_BLOCK], total[CK_QUERY_BLOCK];
  for (size_t i = 0; i < rows; i++) top[i] = -INFINITY, total[i] = 0;
  memset(mixed, 0, rows * wide * sizeof(float));

  for (size_t k0 = 0; k0 < count; k0 += CK_KEY_BLOCK) {
    if (t->causal && k0 > first + rows - 1) break;
    const size_t present = count - k0 < CK_KEY_BLOCK ? count - k0 : CK_KEY_BLOCK;
    for (size_t j = 0; j < present; j += NR) {
      const int vectors = present - j > V ? 2 : 1;
      for (size_t i = 0; i < rows; i += MR) {
        tile(rows - i < MR ? rows - i : MR, vectors, queries + i * t->query_stride, t->query_stride,
             keys + (k0 + j) * width, width, scores + i * score_stride + j, score_stride, 0);
      }
    }
    for (size_t i = 0; i < rows; i++) {
      float *row = scores + i * score_stride;
      size_t visible = present;
      if (t->causal) {
        const size_t seen = first + i + 1;
        visible = seen <= k0 ? 0 : (seen - k0 < present ? seen - k0 : present);
      }
      if (visible == 0) {
        memset(row, 0, present * sizeof(float));
        continue;
      }
      const float best = scale * row_top(row, visible);
      if (best > top[i]) {
        const float shrink = vexp(vsplat(top[i] - best))[0];
        top[i] = best;
        total[i] *= shrink;
        if (k0 > 0)
          for (size_t j = 0; j < wide; j += V) vstore(mixed + i * wide + j, vload(mixed + i * wide + j) * shrink);
      }
      total[i] += weigh_row(row, present, visible, scale, top[i]);
    }
    for (size_t j = 0; j < width; j += NR) {
      const int vectors = width - j > V ? 2 : 1;
      for (size_t i = 0; i < rows; i += MR) {
        tile(rows - i < MR ? rows - i : MR, vectors, scores + i * score_stride, score_stride,
             values + (j / NR * count + k0) * NR, present, mixed + i * wide + j, wide, 1);
      }
    }
  }
  for (size_t i = 0; i < rows; i++) {
    float *out = t->output + (sample * t->query_count + first + i) * t->heads * width + head * width;
    const float factor = 1.0f / total[i];
    for (size_t j = 0; j < width; j++) out[j] = mixed[i * wide + j] * factor;
  }
}

/// The mean over all heads of the weights of one block of queries. The rows of scores are whole: [CK_QUERY_BLOCK][keys].
static void attention_average(const ck_attention *t, size_t sample, size_t block, float *scratch) {
  const size_t width = t->width, count = t->key_count, stride = padded(count, NR) + 16;
  const size_t first = block * CK_QUERY_BLOCK;
  const size_t rows = t->query_count - first < CK_QUERY_BLOCK ? t->query_count - first : CK_QUERY_BLOCK;
  const float scale = 1.0f / sqrtf((float)width);
  float *averages = t->output + (sample * t->query_count + first) * count;
  for (size_t head = 0; head < t->heads; head++) {
    const float *queries = t->queries + (sample * t->query_count + first) * t->query_stride + head * width;
    const float *keys = t->packed_keys + (sample * t->heads + head) * padded(count, NR) * width;
    for (size_t j = 0; j < count; j += NR) {
      const int vectors = count - j > V ? 2 : 1;
      for (size_t i = 0; i < rows; i += MR) {
        tile(rows - i < MR ? rows - i : MR, vectors, queries + i * t->query_stride, t->query_stride, keys + j * width,
             width, scratch + i * stride + j, stride, 0);
      }
    }
    for (size_t i = 0; i < rows; i++) {
      float *row = scratch + i * stride, *out = averages + i * count;
      const float total = weigh_row(row, count, count, scale, scale * row_top(row, count));
      const vfloat factor = vsplat(1.0f / (total * (float)t->heads));
      for (size_t j = 0; j < count; j += V) {
        const size_t left = count - j;
        const int whole = left >= V;
        vfloat sum = head == 0 ? (vfloat){0} : whole ? vload(out + j) : vload_part(out + j, left);
        sum = vmuladd(whole ? vload(row + j) : vload_part(row + j, left), factor, sum);
        if (whole) vstore(out + j, sum);
        else vstore_part(out + j, sum, left);
      }
    }
  }
}
