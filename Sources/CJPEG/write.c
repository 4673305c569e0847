#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { FIRST_CAPACITY = 1 << 16 };

typedef struct {
  struct jpeg_compress_struct info;
  cjpeg_fault fault;
  struct jpeg_destination_mgr destination;
  const cjpeg_source *source;
  uint8_t *bytes;
  size_t capacity;
} writer;

static writer *writer_of(j_compress_ptr info) { return info->client_data; }

static void grow(j_compress_ptr info, size_t used) {
  writer *w = writer_of(info);
  size_t capacity = w->capacity ? w->capacity * 2 : FIRST_CAPACITY;
  uint8_t *grown = realloc(w->bytes, capacity);
  if (!grown) cjpeg_leave((j_common_ptr)info, CJPEG_NO_MEMORY, "out of memory");
  w->bytes = grown;
  w->capacity = capacity;
  w->destination.next_output_byte = grown + used;
  w->destination.free_in_buffer = capacity - used;
}

static void begin(j_compress_ptr info) { grow(info, 0); }

// libjpeg calls this with the whole buffer used, whatever its pointers say.
static boolean make_room(j_compress_ptr info) {
  grow(info, writer_of(info)->capacity);
  return TRUE;
}

static void end(j_compress_ptr info) { (void)info; }

static void set_parameters(writer *w) {
  j_compress_ptr info = &w->info;
  const cjpeg_source *s = w->source;
  info->image_width = s->width;
  info->image_height = s->height;
  info->input_components = s->channels;
  info->in_color_space = s->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(info);
  jpeg_set_quality(info, s->quality, TRUE);
  info->dct_method = JDCT_ISLOW; // the same bytes with and without vector units
  info->optimize_coding = TRUE;
  int factor = s->halves_chroma ? 2 : 1;
  info->comp_info[0].h_samp_factor = s->channels == 1 ? 1 : factor;
  info->comp_info[0].v_samp_factor = s->channels == 1 ? 1 : factor;
}

// Everything that can jump. All state is behind w, so nothing is lost or stale after a jump.
static cjpeg_status encode_guarded(writer *w) {
  j_compress_ptr info = &w->info;
  const cjpeg_source *s = w->source;
  if (setjmp(w->fault.jump)) return w->fault.status;
  jpeg_create_compress(info);
  info->client_data = w;
  w->destination.init_destination = begin;
  w->destination.empty_output_buffer = make_room;
  w->destination.term_destination = end;
  info->dest = &w->destination;
  set_parameters(w);
  jpeg_start_compress(info, TRUE);
  size_t row = (size_t)s->width * (size_t)s->channels;
  while (info->next_scanline < info->image_height) {
    JSAMPROW line = (JSAMPROW)s->pixels + row * info->next_scanline;
    jpeg_write_scanlines(info, &line, 1);
  }
  jpeg_finish_compress(info);
  return CJPEG_OK;
}

static cjpeg_status check_source(const cjpeg_source *s, char *message) {
  if (s->width == 0 || s->height == 0 || s->width > CJPEG_SIDE_LIMIT || s->height > CJPEG_SIDE_LIMIT)
    return cjpeg_fail(message, CJPEG_TOO_LARGE, "%u x %u pixels, 1 to %d a side are written", s->width,
                      s->height, CJPEG_SIDE_LIMIT);
  if (s->channels != 1 && s->channels != 3)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "%d channels, expected 1 or 3", s->channels);
  if (s->quality < 1 || s->quality > 100)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "quality %d, expected 1 to 100", s->quality);
  if (s->pixel_bytes != (size_t)s->width * s->height * (size_t)s->channels)
    return cjpeg_fail(message, CJPEG_UNSUPPORTED, "%zu bytes for %u x %u pixels", s->pixel_bytes,
                      s->width, s->height);
  return CJPEG_OK;
}

cjpeg_status cjpeg_encode(const cjpeg_source *source, uint8_t **bytes, size_t *count, char *message) {
  cjpeg_status status = check_source(source, message);
  if (status != CJPEG_OK) return status;
  writer w = {.source = source};
  w.info.err = cjpeg_fault_start(&w.fault, message);
  status = encode_guarded(&w);
  jpeg_destroy_compress(&w.info);
  if (status != CJPEG_OK) {
    free(w.bytes);
    return status;
  }
  *bytes = w.bytes;
  *count = w.capacity - w.destination.free_in_buffer;
  return CJPEG_OK;
}

void cjpeg_bytes_free(uint8_t *bytes) { free(bytes); }
