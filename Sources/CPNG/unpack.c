#include <stdio.h>
#include <zlib.h>

#include "CPNG.h"

cpng_status cpng_unpack(const uint8_t *bytes, size_t count, uint8_t *out, size_t out_count, char *message) {
  uLongf filled = (uLongf)out_count;
  int status = uncompress(out, &filled, bytes, (uLong)count);
  if (status == Z_OK && filled == out_count) return CPNG_OK;
  if (status == Z_MEM_ERROR) {
    snprintf(message, CPNG_MESSAGE_SIZE, "no memory to unpack %zu bytes", out_count);
    return CPNG_NO_MEMORY;
  }
  snprintf(message, CPNG_MESSAGE_SIZE, "%zu packed bytes do not unpack to %zu", count, out_count);
  return CPNG_MALFORMED;
}
