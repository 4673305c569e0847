#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  cpng_layout layout;
  uint8_t *pixels;
  png_bytep *rows;
  cpng_extras *extras;
  cpng_fault fault;
  png_structp png;
  png_infop info;
} reader;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  reader *r = png_get_io_ptr(png);
  if (count > r->count - r->position) png_error(png, "the file ends too early");
  memcpy(out, r->bytes + r->position, count);
  r->position += count;
}

static size_t pixel_size(cpng_layout layout) {
  switch (layout) {
  case CPNG_LAYOUT_RGB8: return 3;
  case CPNG_LAYOUT_RGBA8: return 4;
  case CPNG_LAYOUT_GREY16: return 2;
  default: return 1;
  }
}

// Whether the layout can hold the file's pixels without loss of meaning.
static cpng_status check_layout(cpng_layout layout, const cpng_header *h, char *message) {
  int grey = h->color_type == CPNG_GREY || h->color_type == CPNG_GREY_ALPHA;
  switch (layout) {
  case CPNG_LAYOUT_RGBA8:
  case CPNG_LAYOUT_RGB8: return CPNG_OK;
  case CPNG_LAYOUT_GREY8:
    if (grey) return CPNG_OK;
    return cpng_fail(message, CPNG_UNSUPPORTED, "colour type %d, expected grey", h->color_type);
  case CPNG_LAYOUT_INDEX8:
    if (h->bit_depth <= 8 && (h->color_type == CPNG_PALETTE || h->color_type == CPNG_GREY))
      return CPNG_OK;
    return cpng_fail(message, CPNG_UNSUPPORTED,
                     "colour type %d with %d bits, expected a palette or 8-bit grey", h->color_type,
                     h->bit_depth);
  case CPNG_LAYOUT_GREY16:
    if (h->color_type == CPNG_GREY && h->bit_depth == 16) return CPNG_OK;
    return cpng_fail(message, CPNG_UNSUPPORTED, "colour type %d with %d bits, expected 16-bit grey",
                     h->color_type, h->bit_depth);
  }
  return cpng_fail(message, CPNG_UNSUPPORTED, "unknown layout %d", (int)layout);
}

static void set_transforms(reader *r) {
  png_structp png = r->png;
  int color_type = png_get_color_type(png, r->info);
  int depth = png_get_bit_depth(png, r->info);
  switch (r->layout) {
  case CPNG_LAYOUT_INDEX8:
    if (depth < 8) png_set_packing(png);
    return;
  case CPNG_LAYOUT_GREY16:
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(png);
    return;
  case CPNG_LAYOUT_RGBA8:
    png_set_expand(png);
    if (depth == 16) png_set_strip_16(png);
    if (!(color_type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    return;
  case CPNG_LAYOUT_GREY8:
  case CPNG_LAYOUT_RGB8: break;
  }
  if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color_type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (depth == 16) png_set_strip_16(png);
  png_set_strip_alpha(png);
  if (r->layout == CPNG_LAYOUT_RGB8 && !(color_type & PNG_COLOR_MASK_COLOR))
    png_set_gray_to_rgb(png);
}

static void copy_palette(reader *r) {
  png_colorp colors = NULL;
  int count = 0;
  if (!png_get_PLTE(r->png, r->info, &colors, &count) || count > 256) return;
  for (int i = 0; i < count; i++) {
    r->extras->palette[3 * i] = colors[i].red;
    r->extras->palette[3 * i + 1] = colors[i].green;
    r->extras->palette[3 * i + 2] = colors[i].blue;
  }
  r->extras->palette_count = count;
}

static void copy_texts(reader *r) {
  png_textp texts = NULL;
  int count = 0;
  png_get_text(r->png, r->info, &texts, &count);
  if (count <= 0) return;
  cpng_text *copies = calloc((size_t)count, sizeof *copies);
  if (!copies) png_error(r->png, "out of memory");
  r->extras->texts = copies;
  r->extras->text_count = count;
  for (int i = 0; i < count; i++) {
    int is_utf8 = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    copies[i].keyword = strdup(texts[i].key ? texts[i].key : "");
    copies[i].text = strdup(texts[i].text ? texts[i].text : "");
    if (!copies[i].keyword || !copies[i].text) png_error(r->png, "out of memory");
    copies[i].text_size = strlen(copies[i].text);
    copies[i].is_utf8 = is_utf8;
  }
}

// Everything that can jump. All state is behind r, so nothing is lost or stale after a jump.
static cpng_status decode_guarded(reader *r, const cpng_header *header) {
  if (setjmp(png_jmpbuf(r->png))) return r->fault.status;
  cpng_set_limits(r->png);
  png_set_benign_errors(r->png, 0);
  png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  // Colour profiles, times and the like are skipped unread; texts are kept.
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_AS_DEFAULT,
                              (png_const_bytep) "iTXt\0tEXt\0zTXt\0", 3);
  png_set_read_fn(r->png, r, read_bytes);
  png_read_info(r->png, r->info);
  set_transforms(r);
  png_set_interlace_handling(r->png);
  png_read_update_info(r->png, r->info);
  size_t row = (size_t)header->width * pixel_size(r->layout);
  if (png_get_rowbytes(r->png, r->info) != row) png_error(r->png, "unexpected size of a row");
  for (uint32_t y = 0; y < header->height; y++) r->rows[y] = r->pixels + row * y;
  png_read_image(r->png, r->rows);
  png_read_end(r->png, r->info);
  copy_palette(r);
  copy_texts(r);
  return CPNG_OK;
}

cpng_status cpng_decode(const uint8_t *bytes, size_t count, cpng_layout layout, void *pixels,
                        size_t pixel_bytes, cpng_extras *extras, char *message) {
  memset(extras, 0, sizeof *extras);
  cpng_header header;
  cpng_status status = cpng_inspect(bytes, count, &header, message);
  if (status != CPNG_OK) return status;
  status = check_layout(layout, &header, message);
  if (status != CPNG_OK) return status;
  if (pixel_bytes != (size_t)header.width * header.height * pixel_size(layout))
    return cpng_fail(message, CPNG_UNSUPPORTED, "a buffer of %zu bytes does not fit", pixel_bytes);

  reader r = {.bytes = bytes, .count = count, .layout = layout, .pixels = pixels, .extras = extras};
  r.fault.message = message;
  r.rows = malloc(header.height * sizeof *r.rows);
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r.fault, cpng_on_error, cpng_on_warning);
  r.info = r.png ? png_create_info_struct(r.png) : NULL;
  if (r.rows && r.info)
    status = decode_guarded(&r, &header);
  else
    status = cpng_fail(message, CPNG_NO_MEMORY, "out of memory");
  png_destroy_read_struct(&r.png, &r.info, NULL);
  free(r.rows);
  if (status != CPNG_OK) cpng_extras_free(extras);
  return status;
}

void cpng_extras_free(cpng_extras *extras) {
  for (int i = 0; i < extras->text_count; i++) {
    free(extras->texts[i].keyword);
    free(extras->texts[i].text);
  }
  free(extras->texts);
  extras->texts = NULL;
  extras->text_count = 0;
}
