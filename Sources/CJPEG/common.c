#include "common.h"

#include <stdarg.h>
#include <string.h>

#include <jerror.h>

static void make_printable(char *message) {
  for (char *c = message; *c; c++)
    if (*c < 0x20 || *c > 0x7e) *c = '?';
}

cjpeg_status cjpeg_fail(char *message, cjpeg_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, CJPEG_MESSAGE_SIZE, format, arguments);
  va_end(arguments);
  make_printable(message);
  return status;
}

_Noreturn void cjpeg_leave(j_common_ptr info, cjpeg_status status, const char *text) {
  cjpeg_fault *fault = (cjpeg_fault *)info->err;
  fault->status = cjpeg_fail(fault->message, status, "%s", text);
  longjmp(fault->jump, 1);
}

static cjpeg_status status_of(int code) {
  switch (code) {
  case JERR_OUT_OF_MEMORY: return CJPEG_NO_MEMORY;
  case JERR_IMAGE_TOO_BIG:
  case JERR_NO_BACKING_STORE:
  case JERR_WIDTH_OVERFLOW: return CJPEG_TOO_LARGE;
  case JERR_ARITH_NOTIMPL:
  case JERR_BAD_PRECISION:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_CCIR601_NOTIMPL:
  case JERR_FRACT_SAMPLE_NOTIMPL:
  case JERR_NOTIMPL:
  case JERR_NOT_COMPILED:
  case JERR_SOF_UNSUPPORTED: return CJPEG_UNSUPPORTED;
  default: return CJPEG_MALFORMED;
  }
}

static _Noreturn void leave_with_libjpegs_words(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  cjpeg_leave(info, status_of(info->err->msg_code), text);
}

// A warning says that libjpeg would go on with damaged data. The number of JFIF's revision damages nothing.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0 || info->err->msg_code == JWRN_JFIF_MAJOR) return;
  leave_with_libjpegs_words(info);
}

static void print_nothing(j_common_ptr info) { (void)info; }

struct jpeg_error_mgr *cjpeg_fault_start(cjpeg_fault *fault, char *message) {
  memset(fault, 0, sizeof *fault);
  fault->message = message;
  jpeg_std_error(&fault->manager);
  fault->manager.error_exit = leave_with_libjpegs_words;
  fault->manager.emit_message = on_message;
  fault->manager.output_message = print_nothing;
  return &fault->manager;
}
