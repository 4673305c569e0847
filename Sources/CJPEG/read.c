#include <stdlib.h>
#include <string.h>

#include "common.h"

typedef struct {
  struct jpeg_decompress_struct info;
  cjpeg_fault fault;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  const uint8_t *bytes;
  size_t count;
  JSAMPLE *row; // of four inks
} reader;

static void nothing(j_decompress_ptr info) { (void)info; }

// All bytes are there from the start, so being asked for more means that the file was cut.
static boolean refuse_to_fill(j_decompress_ptr info) {
  cjpeg_leave((j_common_ptr)info, CJPEG_MALFORMED, "the file ends too early");
}

static void skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if ((size_t)count > info->src->bytes_in_buffer) refuse_to_fill(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= (size_t)count;
}

// A small file can ask for thousands of scans over a large picture.
static void watch_scans(j_common_ptr info) {
  if (((j_decompress_ptr)info)->input_scan_number > CJPEG_SCAN_LIMIT)
    cjpeg_leave(info, CJPEG_TOO_LARGE, "more scans than the limit of 100");
}

static void start(reader *r) {
  j_decompress_ptr info = &r->info;
  jpeg_create_decompress(info);
  info->mem->max_memory_to_use = CJPEG_MEMORY_LIMIT;
  r->source.init_source = nothing;
  r->source.fill_input_buffer = refuse_to_fill;
  r->source.skip_input_data = skip;
  r->source.resync_to_restart = jpeg_resync_to_restart;
  r->source.term_source = nothing;
  r->source.next_input_byte = r->bytes;
  r->source.bytes_in_buffer = r->count;
  info->src = &r->source;
  r->progress.progress_monitor = watch_scans;
  info->progress = &r->progress;
}

// Every block costs at least a code of one bit in a progressive file and two in a sequential one. What cannot
// hold its own pixels is refused before memory is taken for them.
static int can_hold_its_blocks(const reader *r) {
  size_t blocks = 0;
  for (int i = 0; i < r->info.num_components; i++)
    blocks += (size_t)r->info.comp_info[i].width_in_blocks * r->info.comp_info[i].height_in_blocks;
  return blocks * (r->info.progressive_mode ? 1 : 2) / 8 <= r->count;
}

// Reads up to the first scan. Can jump.
static cjpeg_status read_header(reader *r) {
  j_decompress_ptr info = &r->info;
  char *message = r->fault.message;
  jpeg_read_header(info, TRUE);
  if (info->image_width > CJPEG_SIDE_LIMIT || info->image_height > CJPEG_SIDE_LIMIT)
    return cjpeg_fail(message, CJPEG_TOO_LARGE, "%u x %u pixels, at most %d a side are read",
                      info->image_width, info->image_height, CJPEG_SIDE_LIMIT);
  if (info->data_precision != 8)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "%d bits a sample, expected 8",
                      info->data_precision);
  if (info->arith_code)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "arithmetic coding, expected Huffman coding");
  if (info->num_components != 1 && info->num_components != 3 && info->num_components != 4)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "%d components, expected 1, 3 or 4",
                      info->num_components);
  if (!can_hold_its_blocks(r))
    return cjpeg_fail(message, CJPEG_MALFORMED, "%zu bytes cannot hold %u x %u pixels", r->count,
                      info->image_width, info->image_height);
  return CJPEG_OK;
}

static void copy_exif(const reader *r, cjpeg_header *header, uint8_t *exif) {
  static const char name[6] = "Exif\0";
  for (jpeg_saved_marker_ptr m = r->info.marker_list; m; m = m->next) {
    if (m->data_length < sizeof name || memcmp(m->data, name, sizeof name) != 0) continue;
    size_t size = m->data_length - sizeof name;
    if (size > CJPEG_EXIF_LIMIT) return;
    memcpy(exif, m->data + sizeof name, size);
    header->exif_size = size;
    return;
  }
}

// Everything that can jump. All state is behind r, so nothing is lost or stale after a jump.
static cjpeg_status inspect_guarded(reader *r, cjpeg_header *header, uint8_t *exif) {
  if (setjmp(r->fault.jump)) return r->fault.status;
  start(r);
  jpeg_save_markers(&r->info, JPEG_APP0 + 1, 0xffff);
  cjpeg_status status = read_header(r);
  if (status != CJPEG_OK) return status;
  header->width = r->info.image_width;
  header->height = r->info.image_height;
  header->is_grey = r->info.num_components == 1;
  copy_exif(r, header, exif);
  return CJPEG_OK;
}

cjpeg_status cjpeg_inspect(const uint8_t *bytes, size_t count, cjpeg_header *header, uint8_t *exif,
                           char *message) {
  reader r = {.bytes = bytes, .count = count};
  memset(header, 0, sizeof *header);
  r.info.err = cjpeg_fault_start(&r.fault, message);
  cjpeg_status status = inspect_guarded(&r, header, exif);
  jpeg_destroy_decompress(&r.info);
  return status;
}

// a * b / 255, rounded.
static uint8_t product(unsigned a, unsigned b) { return (uint8_t)((2 * a * b + 255) / 510); }

// Adobe's files hold what is left of white under each ink, so light is the product with what black leaves.
static void read_inks(reader *r, uint8_t *out) {
  jpeg_read_scanlines(&r->info, &r->row, 1);
  for (size_t x = 0; x < r->info.output_width; x++)
    for (size_t c = 0; c < 3; c++) out[3 * x + c] = product(r->row[4 * x + c], r->row[4 * x + 3]);
}

// Everything that can jump. All state is behind r, so nothing is lost or stale after a jump.
static cjpeg_status decode_guarded(reader *r, int channels, uint8_t *pixels, size_t pixel_bytes) {
  j_decompress_ptr info = &r->info;
  if (setjmp(r->fault.jump)) return r->fault.status;
  start(r);
  cjpeg_status status = read_header(r);
  if (status != CJPEG_OK) return status;
  if (channels == 1 && info->num_components != 1)
    return cjpeg_fail(r->fault.message, CJPEG_UNSUPPORTED, "%d components, expected grey",
                      info->num_components);
  size_t row = (size_t)info->image_width * (size_t)channels;
  if (pixel_bytes != row * info->image_height)
    return cjpeg_fail(r->fault.message, CJPEG_UNSUPPORTED, "a buffer of %zu bytes does not fit",
                      pixel_bytes);
  int has_inks = info->num_components == 4;
  info->out_color_space = has_inks ? JCS_CMYK : channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  info->dct_method = JDCT_ISLOW; // the same bytes with and without vector units
  if (has_inks) {
    r->row = malloc((size_t)info->image_width * 4);
    if (!r->row) return cjpeg_fail(r->fault.message, CJPEG_NO_MEMORY, "out of memory");
  }
  jpeg_start_decompress(info);
  while (info->output_scanline < info->output_height) {
    JSAMPROW out = pixels + row * info->output_scanline;
    if (has_inks)
      read_inks(r, out);
    else
      jpeg_read_scanlines(info, &out, 1);
  }
  jpeg_finish_decompress(info); // reads on to the end marker
  return CJPEG_OK;
}

cjpeg_status cjpeg_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels,
                          size_t pixel_bytes, char *message) {
  if (channels != 1 && channels != 3)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "%d channels, expected 1 or 3", channels);
  reader r = {.bytes = bytes, .count = count};
  r.info.err = cjpeg_fault_start(&r.fault, message);
  cjpeg_status status = decode_guarded(&r, channels, pixels, pixel_bytes);
  jpeg_destroy_decompress(&r.info);
  free(r.row);
  return status;
}
