#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

// PNG in memory over libpng. Every setjmp is inside; no call leaves by longjmp. Every function is safe to
// call from several threads at once on different data.

// Limits that hold for reading and for writing.
enum {
  CPNG_SIDE_LIMIT = 8192,          // pixels a side
  CPNG_CHUNK_COUNT_LIMIT = 64,     // ancillary chunks a file
  CPNG_CHUNK_SIZE_LIMIT = 1 << 20, // bytes of any chunk but IDAT, packed and unpacked
  CPNG_MESSAGE_SIZE = 200          // bytes of a message with its zero
};

typedef enum {
  CPNG_OK = 0,
  CPNG_MALFORMED = 1,   // the bytes break a rule of the format
  CPNG_UNSUPPORTED = 2, // an animation, or a kind of pixel that the layout asked for cannot hold
  CPNG_TOO_LARGE = 3,   // beyond a limit above
  CPNG_NO_MEMORY = 4
} cpng_status;

// IHDR's values.
enum { CPNG_GREY = 0, CPNG_RGB = 2, CPNG_PALETTE = 3, CPNG_GREY_ALPHA = 4, CPNG_RGB_ALPHA = 6 };

typedef struct {
  uint32_t width;
  uint32_t height;
  uint8_t bit_depth;
  uint8_t color_type;
} cpng_header;

// How pixels lie in memory: rows from the top, no padding.
typedef enum {
  CPNG_LAYOUT_RGB8 = 0,   // 3 bytes a pixel; alpha dropped, 16 bits cut to the upper 8
  CPNG_LAYOUT_GREY8 = 1,  // 1 byte a pixel; grey files only
  CPNG_LAYOUT_INDEX8 = 2, // 1 byte a pixel, values as stored; palette or grey of at most 8 bits
  CPNG_LAYOUT_GREY16 = 3, // one uint16_t in the machine's order a pixel; 16-bit grey only
  CPNG_LAYOUT_RGBA8 = 4   // 4 bytes a pixel, opaque where the file has no alpha; 16 bits cut to the upper 8
} cpng_layout;

typedef struct {
  char *keyword; // Latin-1, zero at the end
  char *text;    // UTF-8 in an iTXt chunk, Latin-1 otherwise; zero at the end
  size_t text_size;
  int is_utf8;
} cpng_text;

typedef struct {
  uint8_t palette[256 * 3];
  int palette_count;
  cpng_text *texts; // given back by cpng_extras_free
  int text_count;
} cpng_extras;

// Reads and checks everything that can be checked without unpacking: signature, IHDR against the limits,
// the chain of chunks to IEND, nothing behind it, no animation, enough packed bytes for the pixels.
// message: CPNG_MESSAGE_SIZE bytes, set where the status is not CPNG_OK.
cpng_status cpng_inspect(const uint8_t *bytes, size_t count, cpng_header *header, char *message);

// Unpacks. pixels: exactly width * height * (1 to 4) bytes, as inspect and layout imply; for GREY16 aligned for
// uint16_t. extras: overwritten; free it after CPNG_OK only.
cpng_status cpng_decode(const uint8_t *bytes, size_t count, cpng_layout layout, void *pixels,
                        size_t pixel_bytes, cpng_extras *extras, char *message);

void cpng_extras_free(cpng_extras *extras);

typedef struct {
  uint32_t width;
  uint32_t height;
  uint8_t bit_depth;  // 8, or 16 with CPNG_GREY
  uint8_t color_type; // CPNG_GREY, CPNG_RGB, CPNG_PALETTE
  const void *pixels; // packed rows; 16 bits in the machine's order
  size_t pixel_bytes;
  const uint8_t *palette; // palette_count * 3 bytes, with CPNG_PALETTE
  int palette_count;
  const uint8_t *alpha; // tRNS of the first alpha_count entries, may be null
  int alpha_count;
  const char *keyword; // of an iTXt chunk, null for none
  const char *text;    // UTF-8, zero at the end
} cpng_source;

// Packs with fixed settings, so equal pixels give equal bytes with the same zlib. *bytes is given back by
// cpng_bytes_free and set with CPNG_OK only.
cpng_status cpng_encode(const cpng_source *source, uint8_t **bytes, size_t *count, char *message);

void cpng_bytes_free(uint8_t *bytes);

#endif
