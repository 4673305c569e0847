#ifndef CJPEG_COMMON_H
#define CJPEG_COMMON_H

#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#include "CJPEG.h"

// What the error callbacks write to before they jump. manager is first: libjpeg hands back its address.
typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf jump;
  cjpeg_status status;
  char *message;
} cjpeg_fault;

// Makes a fault's callbacks the ones libjpeg calls: nothing is printed, errors and warnings jump.
struct jpeg_error_mgr *cjpeg_fault_start(cjpeg_fault *fault, char *message);

cjpeg_status cjpeg_fail(char *message, cjpeg_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Leaves a guarded function with an error of ours.
_Noreturn void cjpeg_leave(j_common_ptr info, cjpeg_status status, const char *text);

#endif
