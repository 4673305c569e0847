#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

// Fixed, so that equal pixels give equal bytes. Photographs: the Paeth filter with zlib's strategy for
// filtered data. Ids and palettes: no filter, plain strategy.
enum { LEVEL = 6, MEMORY_LEVEL = 8, WINDOW_BITS = 15, PLAIN_STRATEGY = 0, FILTERED_STRATEGY = 1 };

typedef struct {
  const cpng_source *source;
  uint8_t *bytes;
  size_t count;
  size_t capacity;
  cpng_fault fault;
  png_structp png;
  png_infop info;
} writer;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  writer *w = png_get_io_ptr(png);
  if (count > w->capacity - w->count) {
    size_t capacity = (w->count + count) * 2;
    uint8_t *grown = realloc(w->bytes, capacity);
    if (!grown) {
      w->fault.status = CPNG_NO_MEMORY;
      png_error(png, "out of memory");
    }
    w->bytes = grown;
    w->capacity = capacity;
  }
  memcpy(w->bytes + w->count, bytes, count);
  w->count += count;
}

static void flush_nothing(png_structp png) { (void)png; }

static void set_palette(writer *w) {
  const cpng_source *s = w->source;
  png_color colors[256];
  for (int i = 0; i < s->palette_count; i++)
    colors[i] = (png_color){s->palette[3 * i], s->palette[3 * i + 1], s->palette[3 * i + 2]};
  png_set_PLTE(w->png, w->info, colors, s->palette_count);
  if (s->alpha && s->alpha_count > 0)
    png_set_tRNS(w->png, w->info, (png_bytep)s->alpha, s->alpha_count, NULL);
}

static void set_text(writer *w) {
  png_text text = {0};
  text.compression = PNG_ITXT_COMPRESSION_NONE;
  text.key = (png_charp)w->source->keyword;
  text.text = (png_charp)w->source->text;
  text.lang = (png_charp) "";
  text.lang_key = (png_charp) "";
  png_set_text(w->png, w->info, &text, 1);
}

// Everything that can jump. All state is behind w, so nothing is lost or stale after a jump.
static cpng_status encode_guarded(writer *w) {
  const cpng_source *s = w->source;
  int is_photograph = s->color_type == CPNG_RGB || (s->color_type == CPNG_GREY && s->bit_depth == 8);
  if (setjmp(png_jmpbuf(w->png))) return w->fault.status;
  cpng_set_limits(w->png);
  png_set_write_fn(w->png, w, write_bytes, flush_nothing);
  png_set_IHDR(w->png, w->info, s->width, s->height, s->bit_depth, s->color_type,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(w->png, LEVEL);
  png_set_compression_mem_level(w->png, MEMORY_LEVEL);
  png_set_compression_window_bits(w->png, WINDOW_BITS);
  png_set_compression_strategy(w->png, is_photograph ? FILTERED_STRATEGY : PLAIN_STRATEGY);
  png_set_filter(w->png, PNG_FILTER_TYPE_BASE, is_photograph ? PNG_FILTER_PAETH : PNG_FILTER_NONE);
  if (s->color_type == CPNG_PALETTE) set_palette(w);
  if (s->keyword) set_text(w);
  png_write_info(w->png, w->info);
  if (s->bit_depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(w->png);
  size_t row = s->pixel_bytes / s->height;
  for (uint32_t y = 0; y < s->height; y++)
    png_write_row(w->png, (png_const_bytep)s->pixels + row * y);
  png_write_end(w->png, NULL);
  return CPNG_OK;
}

static cpng_status check_source(const cpng_source *s, char *message) {
  if (s->width == 0 || s->height == 0 || s->width > CPNG_SIDE_LIMIT || s->height > CPNG_SIDE_LIMIT)
    return cpng_fail(message, CPNG_TOO_LARGE, "%u x %u pixels, 1 to %d a side are written", s->width,
                     s->height, CPNG_SIDE_LIMIT);
  size_t size = 0;
  if (s->color_type == CPNG_RGB && s->bit_depth == 8) size = 3;
  if (s->color_type == CPNG_GREY && (s->bit_depth == 8 || s->bit_depth == 16)) size = s->bit_depth / 8;
  if (s->color_type == CPNG_PALETTE && s->bit_depth == 8) size = 1;
  if (size == 0)
    return cpng_fail(message, CPNG_UNSUPPORTED, "colour type %d with %d bits is not written",
                     s->color_type, s->bit_depth);
  if (s->pixel_bytes != (size_t)s->width * s->height * size)
    return cpng_fail(message, CPNG_UNSUPPORTED, "%zu bytes for %u x %u pixels", s->pixel_bytes,
                     s->width, s->height);
  if (s->color_type != CPNG_PALETTE) return CPNG_OK;
  if (!s->palette || s->palette_count < 1 || s->palette_count > 256 || s->alpha_count < 0 ||
      s->alpha_count > s->palette_count)
    return cpng_fail(message, CPNG_UNSUPPORTED, "a palette of %d colours and %d alphas",
                     s->palette_count, s->alpha_count);
  const uint8_t *pixels = s->pixels;
  for (size_t i = 0; i < s->pixel_bytes; i++)
    if (pixels[i] >= s->palette_count)
      return cpng_fail(message, CPNG_UNSUPPORTED, "id %d lies beyond a palette of %d colours",
                       pixels[i], s->palette_count);
  return CPNG_OK;
}

cpng_status cpng_encode(const cpng_source *source, uint8_t **bytes, size_t *count, char *message) {
  cpng_status status = check_source(source, message);
  if (status != CPNG_OK) return status;
  writer w = {.source = source};
  w.fault.message = message;
  w.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w.fault, cpng_on_error, cpng_on_warning);
  w.info = w.png ? png_create_info_struct(w.png) : NULL;
  if (w.info)
    status = encode_guarded(&w);
  else
    status = cpng_fail(message, CPNG_NO_MEMORY, "out of memory");
  png_destroy_write_struct(&w.png, &w.info);
  if (status != CPNG_OK) {
    free(w.bytes);
    return status;
  }
  *bytes = w.bytes;
  *count = w.count;
  return CPNG_OK;
}

void cpng_bytes_free(uint8_t *bytes) { free(bytes); }
