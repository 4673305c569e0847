#ifndef CGZIP_H
#define CGZIP_H

#include <stddef.h>
#include <stdint.h>

// Unpacking gzip in memory over zlib, the library that libpng needs too.

typedef enum {
  CGZIP_OK = 0,
  CGZIP_MALFORMED = 1, // no gzip, damaged, cut short, or with something behind it
  CGZIP_TOO_LARGE = 2, // more bytes than `capacity`
  CGZIP_NO_MEMORY = 3
} cgzip_status;

// Unpacks one gzip member into `unpacked`, which has `capacity` bytes; `*unpacked_count` is set with CGZIP_OK.
cgzip_status cgzip_unpack(const uint8_t *packed, size_t packed_count, uint8_t *unpacked, size_t capacity,
                          size_t *unpacked_count);

#endif
