#include <string.h>

#include "common.h"

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

// zlib's format packs at most 1,032 bytes into one, plus the stream's ends.
enum { BEST_RATIO = 1032 };

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int is_letters(const uint8_t *name) {
  for (int i = 0; i < 4; i++) {
    uint8_t upper = name[i] & 0xdf;
    if (upper < 'A' || upper > 'Z') return 0;
  }
  return 1;
}

static int channels_of(uint8_t color_type) {
  switch (color_type) {
  case CPNG_GREY:
  case CPNG_PALETTE: return 1;
  case CPNG_GREY_ALPHA: return 2;
  case CPNG_RGB: return 3;
  case CPNG_RGB_ALPHA: return 4;
  default: return 0;
  }
}

static int depth_is_allowed(uint8_t color_type, uint8_t depth) {
  switch (depth) {
  case 1:
  case 2:
  case 4: return color_type == CPNG_GREY || color_type == CPNG_PALETTE;
  case 8: return 1;
  case 16: return color_type != CPNG_PALETTE;
  default: return 0;
  }
}

static cpng_status read_header(const uint8_t *ihdr, cpng_header *header, char *message) {
  header->width = big_endian(ihdr);
  header->height = big_endian(ihdr + 4);
  header->bit_depth = ihdr[8];
  header->color_type = ihdr[9];
  if (header->width == 0 || header->height == 0)
    return cpng_fail(message, CPNG_MALFORMED, "%u x %u pixels", header->width, header->height);
  if (header->width > CPNG_SIDE_LIMIT || header->height > CPNG_SIDE_LIMIT)
    return cpng_fail(message, CPNG_TOO_LARGE, "%u x %u pixels, at most %d a side are read",
                     header->width, header->height, CPNG_SIDE_LIMIT);
  if (channels_of(header->color_type) == 0)
    return cpng_fail(message, CPNG_MALFORMED, "colour type %d", header->color_type);
  if (!depth_is_allowed(header->color_type, header->bit_depth))
    return cpng_fail(message, CPNG_MALFORMED, "%d bits with colour type %d", header->bit_depth,
                     header->color_type);
  if (ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1)
    return cpng_fail(message, CPNG_MALFORMED, "compression %d, filter %d, interlace %d: unknown",
                     ihdr[10], ihdr[11], ihdr[12]);
  return CPNG_OK;
}

static cpng_status check_chunk(const uint8_t *name, uint32_t size, int *ancillary, char *message) {
  if (!is_letters(name)) return cpng_fail(message, CPNG_MALFORMED, "a chunk's name is not letters");
  if (!memcmp(name, "acTL", 4) || !memcmp(name, "fcTL", 4) || !memcmp(name, "fdAT", 4))
    return cpng_fail(message, CPNG_UNSUPPORTED, "an animated PNG; expected a still picture");
  if (!memcmp(name, "IDAT", 4)) return CPNG_OK;
  if (size > CPNG_CHUNK_SIZE_LIMIT)
    return cpng_fail(message, CPNG_TOO_LARGE, "chunk %.4s has %u bytes, at most %d are read", name,
                     size, CPNG_CHUNK_SIZE_LIMIT);
  if ((name[0] & 0x20) && ++*ancillary > CPNG_CHUNK_COUNT_LIMIT)
    return cpng_fail(message, CPNG_TOO_LARGE, "more than %d ancillary chunks",
                     CPNG_CHUNK_COUNT_LIMIT);
  return CPNG_OK;
}

cpng_status cpng_inspect(const uint8_t *bytes, size_t count, cpng_header *header, char *message) {
  if (count < sizeof signature || memcmp(bytes, signature, sizeof signature) != 0)
    return cpng_fail(message, CPNG_MALFORMED, "no PNG signature at the start");
  if (count < 33 || big_endian(bytes + 8) != 13 || memcmp(bytes + 12, "IHDR", 4) != 0)
    return cpng_fail(message, CPNG_MALFORMED, "the first chunk is no IHDR of 13 bytes");
  cpng_status status = read_header(bytes + 16, header, message);
  if (status != CPNG_OK) return status;

  size_t position = 33, packed = 0;
  int ancillary = 0, ended = 0;
  while (!ended) {
    if (count - position < 12)
      return cpng_fail(message, CPNG_MALFORMED, "the file ends at byte %zu, before IEND", count);
    uint32_t size = big_endian(bytes + position);
    const uint8_t *name = bytes + position + 4;
    if (size > 0x7fffffff || size > count - position - 12)
      return cpng_fail(message, CPNG_MALFORMED, "the chunk at byte %zu goes past the file's end",
                       position);
    status = check_chunk(name, size, &ancillary, message);
    if (status != CPNG_OK) return status;
    if (!memcmp(name, "IDAT", 4)) packed += size;
    ended = !memcmp(name, "IEND", 4);
    if (ended && size != 0) return cpng_fail(message, CPNG_MALFORMED, "IEND is not empty");
    position += (size_t)size + 12;
  }
  if (position != count)
    return cpng_fail(message, CPNG_MALFORMED, "%zu bytes after IEND", count - position);

  size_t row = ((size_t)header->width * channels_of(header->color_type) * header->bit_depth + 7) / 8;
  if ((row + 1) * header->height / BEST_RATIO > packed)
    return cpng_fail(message, CPNG_MALFORMED, "%zu packed bytes cannot hold %u x %u pixels", packed,
                     header->width, header->height);
  return CPNG_OK;
}
