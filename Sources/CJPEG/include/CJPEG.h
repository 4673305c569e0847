#ifndef CJPEG_H
#define CJPEG_H

#include <stddef.h>
#include <stdint.h>

// JPEG in memory over libjpeg. Every setjmp is inside; no call leaves by longjmp, nothing is printed. Every
// function is safe to call from several threads at once on different data.

// Limits that hold for reading and for writing.
enum {
  CJPEG_SIDE_LIMIT = 8192,      // pixels a side
  CJPEG_SCAN_LIMIT = 100,       // scans of a progressive file
  CJPEG_EXIF_LIMIT = 65536,     // bytes of an Exif segment; a segment of the format is shorter
  CJPEG_MEMORY_LIMIT = 640 << 20, // bytes libjpeg may take: coefficients of 8192 x 8192 pixels of 4 components
  CJPEG_MESSAGE_SIZE = 200      // bytes of a message with its zero
};

typedef enum {
  CJPEG_OK = 0,
  CJPEG_MALFORMED = 1,   // the bytes break a rule of the format, or end too early
  CJPEG_UNSUPPORTED = 2, // arithmetic coding, lossless, 12 bits, two components
  CJPEG_TOO_LARGE = 3,   // beyond a limit above
  CJPEG_NO_MEMORY = 4
} cjpeg_status;

typedef struct {
  uint32_t width;
  uint32_t height;
  int is_grey;
  size_t exif_size; // bytes of the first Exif segment, from its TIFF header on; 0 where there is none
} cjpeg_header;

// Reads the markers before the first scan and checks them against the limits; unpacks nothing.
// exif: room for CJPEG_EXIF_LIMIT bytes. message: CJPEG_MESSAGE_SIZE bytes, set where the status is not CJPEG_OK.
cjpeg_status cjpeg_inspect(const uint8_t *bytes, size_t count, cjpeg_header *header, uint8_t *exif,
                           char *message);

// Unpacks to rows from the top without padding, as they lie in the file (its orientation is not applied).
// channels: 1 for grey files only, or 3 for RGB from any kind; CMYK and YCCK are taken as Adobe writes them, inverted.
// pixels: exactly width * height * channels bytes. Damaged data is refused, not patched.
cjpeg_status cjpeg_decode(const uint8_t *bytes, size_t count, int channels, uint8_t *pixels,
                          size_t pixel_bytes, char *message);

typedef struct {
  uint32_t width;
  uint32_t height;
  int channels; // 1 grey, 3 RGB
  const uint8_t *pixels;
  size_t pixel_bytes;
  int quality;         // 1 to 100, libjpeg's scale
  int halves_chroma;   // 4:2:0 instead of 4:4:4
} cjpeg_source;

// Packs as baseline JFIF with the slow integer transform and the best Huffman tables, so equal pixels give equal
// bytes. *bytes is given back by cjpeg_bytes_free and set with CJPEG_OK only.
cjpeg_status cjpeg_encode(const cjpeg_source *source, uint8_t **bytes, size_t *count, char *message);

void cjpeg_bytes_free(uint8_t *bytes);

#endif
