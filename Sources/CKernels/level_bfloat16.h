// Products and attention in bfloat16 with float sums, for AVX-512 levels that have them.
//
// Both operands are read as pairs of depth, so that a panel is [depth / 2][NR][2]. The rows of a product are never
// gathered by tap: a block of the input is narrowed once, with its padding, into a grid of pixels [cells][channels], and
// a tile of 16 outputs of one line reads its rows at a constant distance, each tap from another first cell.
//
// A level file defines before this: bfloat16_begin() and bfloat16_end(), which stand around the work of a thread, and
// bfloat16_tile().

/// Rounds `count` floats to bfloat16, to nearest even; zeros behind them up to `padded_count`, a multiple of 32.
INLINE void narrow_run(const float *from, narrow *to, size_t count, size_t padded_count) {
  size_t i = 0;
  for (; i + PAIR <= count; i += PAIR)
    _mm512_storeu_si512(to + i, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i)));
  if (i < padded_count) {
    const size_t left = count - i;
    const __mmask16 low = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
    const __mmask16 high = left > 16 ? (__mmask16)((1u << (left - 16)) - 1) : 0;
    const __m512 second = high ? _mm512_maskz_loadu_ps(high, from + i + 16) : _mm512_setzero_ps();
    _mm512_storeu_si512(to + i, (__m512i)_mm512_cvtne2ps_pbh(second, _mm512_maskz_loadu_ps(low, from + i)));
    i += PAIR;
  }
  for (; i < padded_count; i += PAIR) _mm512_storeu_si512(to + i, _mm512_setzero_si512());
}

/// A product as the kernels walk it: lines of pixels, and a block of them.
typedef struct {
  size_t samples, height, width, area;  ///< of the output; a pointwise product is one line
  size_t step;                          ///< input pixels from one output pixel to the next
  size_t block_width, block_height, block_samples;
  size_t grid_width, grid_height;       ///< input pixels under a block, per sample
  size_t pitch;                         ///< rows of sums from one line to the next
  int flat;                             ///< tiles run on over the ends of the grid's lines
  int pointwise;                        ///< all rows are one line, whatever the pictures' shape
} block_shape;

static size_t tiles_over(size_t rows) { return (rows + TILE - 1) / TILE; }

/// How the rows of a product are cut into blocks: depends on its shape alone.
static block_shape shape_blocks(const ck_product *p, size_t channel_block) {
  const size_t area = p->out_height * p->out_width;
  block_shape s = {.samples = p->rows / area, .height = p->out_height, .width = p->out_width, .step = p->stride};
  const int pointwise = p->kernel_height * p->kernel_width == 1 && p->stride == 1 && p->enlargement == 1 && !p->pad_top &&
                        !p->pad_left && p->out_height == p->height && p->out_width == p->width;
  if (pointwise) s.pointwise = 1, s.samples = s.height = 1, s.width = p->rows;
  s.area = s.height * s.width;
  s.block_width = pointwise ? at_most(s.width, BLOCK_ROWS) : s.width <= 96 ? s.width : 64;
  s.grid_width = (s.block_width - 1) * s.step + p->kernel_width;
  s.flat = s.step == 1 && s.grid_width < tiles_over(s.block_width) * TILE;
  s.pitch = s.flat ? s.grid_width : tiles_over(s.block_width) * TILE;
  const size_t cells = 2 * (size_t)GRID_FLOATS / channel_block - TILE * s.step;
  s.block_height = 1;
  while (s.block_height < s.height && (s.block_height + 1) * s.pitch <= BLOCK_ROWS &&
         (s.block_height * s.step + p->kernel_height) * s.grid_width <= cells)
    s.block_height++;
  s.grid_height = (s.block_height - 1) * s.step + p->kernel_height;
  s.block_samples = 1;
  if (s.block_height == s.height && s.block_width == s.width) {
    const size_t lines = s.flat ? s.grid_height : s.height;
    while (s.block_samples < s.samples && (s.block_samples + 1) * lines * s.pitch <= BLOCK_ROWS &&
           (s.block_samples + 1) * s.grid_height * s.grid_width <= cells)
      s.block_samples++;
  }
  return s;
}

/// Where a block is: its first sample, line and column, and how many of each it has.
typedef struct { size_t sample, y, x, samples, lines, columns; } block_place;

/// Narrows `count` channels of the input pixels under a block into `grid`; zeros outside the picture.
static void fill_grid(const ck_product *p, const block_shape *s, const block_place *b, size_t channel, size_t count, size_t block,
                      narrow *grid) {
  const int line = s->pointwise;
  const ptrdiff_t height = line ? 1 : (ptrdiff_t)(p->height * p->enlargement);
  const ptrdiff_t width = line ? (ptrdiff_t)p->rows : (ptrdiff_t)(p->width * p->enlargement);
  for (size_t sample = 0; sample < b->samples; sample++) {
    const float *image = p->input + (line ? 0 : (b->sample + sample) * p->height * p->width * p->channels) + channel;
    for (size_t gy = 0; gy < s->grid_height; gy++) {
      const ptrdiff_t y = (ptrdiff_t)(b->y * s->step + gy) - (ptrdiff_t)p->pad_top;
      narrow *to = grid + (sample * s->grid_height + gy) * s->grid_width * block;
      for (size_t gx = 0; gx < s->grid_width; gx++, to += block) {
        const ptrdiff_t x = (ptrdiff_t)(b->x * s->step + gx) - (ptrdiff_t)p->pad_left;
        if (y < 0 || y >= height || x < 0 || x >= width) {
          memset(to, 0, block * sizeof(narrow));
        } else {
          const size_t source = (line ? 0 : (size_t)y / p->enlargement * p->width) + (size_t)x / p->enlargement;
          narrow_run(image + source * p->channels, to, count, block);
        }
      }
    }
  }
}

/// The first grid cell of a tile of a block.
INLINE size_t tile_cell(const block_shape *s, size_t index) {
  const size_t row = index * TILE;
  if (s->flat) return row;
  const size_t line = row / s->pitch, sample = line / s->block_height;
  return (sample * s->grid_height + line % s->block_height * s->step) * s->grid_width + row % s->pitch * s->step;
}

/// Adds `taps` taps of one channel block to the sums of one panel.
static void block_product(const ck_product *p, const block_shape *s, size_t tiles, const narrow *grid, size_t block, size_t tap,
                          size_t taps, const narrow *b, int vectors, float *sums, int accumulate) {
  size_t offsets[BLOCK_DEPTH / PAIR + 1];
  for (size_t t = 0; t < taps; t++)
    offsets[t] = ((tap + t) / p->kernel_width * s->grid_width + (tap + t) % p->kernel_width) * block;
  for (size_t i = 0; i < tiles; i += 2) {
    const narrow *first = grid + tile_cell(s, i) * block;
    const narrow *second = i + 1 < tiles ? grid + tile_cell(s, i + 1) * block : NULL;
    bfloat16_tile(first, second, s->step * block, offsets, taps, block, b, vectors, sums + i * TILE * NR, accumulate);
  }
}

/// Writes the rows of a block that lie in `row_first ..< row_last`, a group of panels: some rows at a time, so that what
/// is written is near.
static void finish_block(const ck_product *p, const block_shape *s, const block_place *b, size_t row_first, size_t row_last,
                         size_t group, size_t group_last, const float *sums) {
  enum { NEAR_ROWS = 8 };
  for (size_t sample = 0; sample < b->samples; sample++)
    for (size_t y = 0; y < b->lines; y++) {
      const size_t start = (b->sample + sample) * s->area + (b->y + y) * s->width + b->x;
      const size_t line = (s->flat ? sample * s->grid_height + y : sample * s->block_height + y) * s->pitch;
      const size_t last = at_most(start + b->columns, row_last);
      for (size_t row = start < row_first ? row_first : start; row < last; row += NEAR_ROWS)
        for (size_t panel = group; panel < group_last; panel++)
          finish_rows(p, row, at_most(NEAR_ROWS, last - row), panel * NR, at_most(p->columns - panel * NR, NR),
                      sums + ((panel - group) * BLOCK_ROWS + line + row - start) * NR, NR);
    }
}

/// All panels of one block of rows.
static void multiply_block(const ck_product *p, const block_shape *s, const block_place *place, size_t row_first, size_t row_last,
                           size_t panel_first, size_t panel_last, float *scratch) {
  const size_t taps = p->kernel_height * p->kernel_width, block = ck_channel_block(p->channels, taps);
  const size_t depth = padded(p->channels, block) * taps, run = at_most(taps, BLOCK_DEPTH / block ? BLOCK_DEPTH / block : 1);
  const size_t lines = s->flat ? (place->samples - 1) * s->grid_height + place->lines
                               : (place->samples - 1) * s->block_height + place->lines;
  // The last line of a flat block needs no cells behind its last pixel.
  const size_t tiles = tiles_over(s->flat ? (lines - 1) * s->pitch + place->columns : lines * s->pitch);
  narrow *grid = (narrow *)scratch;
  float *sums = scratch + GRID_FLOATS;
  for (size_t group = panel_first; group < panel_last; group += BLOCK_PANELS) {
    const size_t group_last = at_most(group + BLOCK_PANELS, panel_last);
    for (size_t channel = 0; channel < p->channels; channel += block) {
      fill_grid(p, s, place, channel, at_most(block, p->channels - channel), block, grid);
      for (size_t tap = 0; tap < taps; tap += run) {
        const size_t some = at_most(run, taps - tap);
        for (size_t panel = group; panel < group_last; panel++) {
          const narrow *b = (const narrow *)p->packed + (panel * depth + channel * taps + tap * block) * NR;
          block_product(p, s, tiles, grid, block, tap, some, b, p->columns - panel * NR > V ? 2 : 1,
                        sums + (panel - group) * BLOCK_ROWS * NR, channel + tap > 0);
        }
      }
    }
    finish_block(p, s, place, row_first, row_last, group, group_last, sums);
  }
}

static void multiply_bfloat16(const ck_product *p, size_t row_first, size_t row_last, size_t panel_first, size_t panel_last,
                              float *scratch) {
  const block_shape s = shape_blocks(p, ck_channel_block(p->channels, p->kernel_height * p->kernel_width));
  bfloat16_begin();
  for (size_t sample = row_first / s.area; sample * s.area < row_last; sample += s.block_samples)
    for (size_t y = 0; y < s.height; y += s.block_height)
      for (size_t x = 0; x < s.width; x += s.block_width) {
        const block_place place = {
            .sample = sample, .y = y, .x = x, .samples = at_most(s.block_samples, s.samples - sample),
            .lines = at_most(s.block_height, s.height - y), .columns = at_most(s.block_width, s.width - x),
        };
        const size_t first = sample * s.area + y * s.width + x;
        const size_t last = (sample + place.samples - 1) * s.area + (y + place.lines - 1) * s.width + x + place.columns;
        if (last <= row_first || first >= row_last) continue;
        multiply_block(p, &s, &place, row_first, row_last, panel_first, panel_last, scratch);
      }
  bfloat16_end();
}

/// Rows that blocks cover whole, so that no two calls narrow the same pixels but at the seams.
static size_t rows_together(const ck_product *p) {
  const block_shape s = shape_blocks(p, ck_channel_block(p->channels, p->kernel_height * p->kernel_width));
  return s.pointwise ? s.block_width : s.block_samples * s.block_height * s.width;
}
