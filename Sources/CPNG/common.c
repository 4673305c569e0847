#include "common.h"

#include <stdarg.h>
#include <stdio.h>

cpng_status cpng_fail(char *message, cpng_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, CPNG_MESSAGE_SIZE, format, arguments);
  va_end(arguments);
  // libpng quotes chunk names from the file: keep the line printable.
  for (char *c = message; *c; c++)
    if (*c < 0x20 || *c > 0x7e) *c = '?';
  return status;
}

_Noreturn void cpng_on_error(png_structp png, png_const_charp text) {
  cpng_fault *fault = png_get_error_ptr(png);
  if (fault->status == CPNG_OK) fault->status = CPNG_MALFORMED;
  cpng_fail(fault->message, fault->status, "%s", text);
  png_longjmp(png, 1);
}

// Warnings concern ancillary chunks that are not used here.
void cpng_on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

void cpng_set_limits(png_structp png) {
  png_set_user_limits(png, CPNG_SIDE_LIMIT, CPNG_SIDE_LIMIT);
  png_set_chunk_cache_max(png, CPNG_CHUNK_COUNT_LIMIT + 2); // libpng keeps two fewer
  png_set_chunk_malloc_max(png, CPNG_CHUNK_SIZE_LIMIT);
}
