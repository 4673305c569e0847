#ifndef TRIPTYCH_CKERNELS_H
#define TRIPTYCH_CKERNELS_H
#include <stdint.h>
#include <stddef.h>

/// Half and bfloat16 rows to float. Any alignment; no aliasing.
void ck_float_from_half(const void *source, float *destination, size_t count);
void ck_float_from_bfloat16(const void *source, float *destination, size_t count);
/// Float rows to half, rounded to nearest even. Any alignment; no aliasing.
void ck_half_from_float(const float *source, void *destination, size_t count);
void ck_bfloat16_from_float(const float *source, void *destination, size_t count);
/// 1 if every value is finite.
int ck_all_finite(const float *source, size_t count);
#endif
