#ifndef CPNG_COMMON_H
#define CPNG_COMMON_H

#include <png.h>

#include "CPNG.h"

// What the error callback writes to before it jumps; outlives the jump because the caller owns it.
typedef struct {
  cpng_status status;
  char *message;
} cpng_fault;

cpng_status cpng_fail(char *message, cpng_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

_Noreturn void cpng_on_error(png_structp png, png_const_charp text);
void cpng_on_warning(png_structp png, png_const_charp text);

// Applies the limits of CPNG.h to a read or write structure.
void cpng_set_limits(png_structp png);

#endif
