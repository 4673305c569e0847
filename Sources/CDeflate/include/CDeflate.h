#ifndef CDEFLATE_H
#define CDEFLATE_H

#include <stddef.h>
#include <stdint.h>

// Unpacking deflate in memory over zlib, the library that libpng needs too.

typedef enum {
  CDEFLATE_OK = 0,
  CDEFLATE_MALFORMED = 1, // another container, damaged, cut short, or with something behind it
  CDEFLATE_TOO_LARGE = 2, // more bytes than `capacity`
  CDEFLATE_NO_MEMORY = 3
} cdeflate_status;

// What stands around the packed bytes.
typedef enum {
  CDEFLATE_ZLIB = 0,  // as in PNG and TIFF
  CDEFLATE_GZIP = 16  // one member; what zlib adds to the window's bits for it
} cdeflate_container;

// Unpacks into `unpacked`, which has `capacity` bytes; `*unpacked_count` is set with CDEFLATE_OK.
cdeflate_status cdeflate_unpack(cdeflate_container container, const uint8_t *packed, size_t packed_count,
                                uint8_t *unpacked, size_t capacity, size_t *unpacked_count);

#endif
