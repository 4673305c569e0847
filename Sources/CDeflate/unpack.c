#include <limits.h>
#include <zlib.h>

#include "CDeflate.h"

cdeflate_status cdeflate_unpack(cdeflate_container container, const uint8_t *packed, size_t packed_count,
                                uint8_t *unpacked, size_t capacity, size_t *unpacked_count) {
  if (packed_count > UINT_MAX || capacity > UINT_MAX) return CDEFLATE_TOO_LARGE;
  z_stream stream = {0};
  if (inflateInit2(&stream, MAX_WBITS + (int)container) != Z_OK) return CDEFLATE_NO_MEMORY;
  stream.next_in = (Bytef *)packed;
  stream.avail_in = (uInt)packed_count;
  stream.next_out = unpacked;
  stream.avail_out = (uInt)capacity;
  int result = inflate(&stream, Z_FINISH);
  cdeflate_status status = CDEFLATE_MALFORMED;
  if (result == Z_STREAM_END && stream.avail_in == 0) {
    status = CDEFLATE_OK;
    *unpacked_count = stream.total_out;
  } else if (result == Z_MEM_ERROR) {
    status = CDEFLATE_NO_MEMORY;
  } else if (result == Z_BUF_ERROR && stream.avail_out == 0) {
    status = CDEFLATE_TOO_LARGE;
  }
  inflateEnd(&stream);
  return status;
}
