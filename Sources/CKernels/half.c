#include "table.h"
#include <string.h>

static float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/// Without branches, so that rows become vectors. Scaling by 2^112 moves the exponent and makes subnormals normal;
/// infinity and NaN get their exponent afterwards.
static float float_from_half_bits(uint16_t h) {
  uint32_t magnitude = (uint32_t)(h & 0x7fffu) << 13;
  uint32_t bits = float_to_bits(bits_to_float(magnitude) * 0x1p112f);
  uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u : 0;
  return bits_to_float(bits | special | (uint32_t)(h & 0x8000u) << 16);
}

uint16_t ck_half_bits(float value) {
  uint32_t bits = float_to_bits(value);
  uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
  uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {
    // Below the smallest normal half: adding 0.5 makes the FPU round at 2^-24.
    float shifted = bits_to_float(magnitude) + 0.5f;
    return (uint16_t)(sign | (float_to_bits(shifted) - 0x3f000000u));
  }
  uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u;
  return (uint16_t)(sign | (rounded >> 13));
}

uint16_t ck_bfloat16_bits(float value) {
  const uint32_t bits = float_to_bits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40u);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

void ck_float_from_half(const void *source, float *destination, size_t count) {
  const unsigned char *bytes = source;
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, bytes + 2 * i, 2);
    destination[i] = float_from_half_bits(h);
  }
}

void ck_float_from_bfloat16(const void *source, float *destination, size_t count) {
  const unsigned char *bytes = source;
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, bytes + 2 * i, 2);
    destination[i] = bits_to_float((uint32_t)h << 16);
  }
}

void ck_half_from_float(const float *source, void *destination, size_t count) {
  unsigned char *bytes = destination;
  for (size_t i = 0; i < count; i++) {
    uint16_t h = ck_half_bits(source[i]);
    memcpy(bytes + 2 * i, &h, 2);
  }
}

void ck_bfloat16_from_float(const float *source, void *destination, size_t count) {
  unsigned char *bytes = destination;
  for (size_t i = 0; i < count; i++) {
    uint16_t h = ck_bfloat16_bits(source[i]);
    memcpy(bytes + 2 * i, &h, 2);
  }
}

int ck_all_finite(const float *source, size_t count) {
  uint32_t bad = 0;
  for (size_t i = 0; i < count; i++) {
    bad |= (uint32_t)((float_to_bits(source[i]) & 0x7f800000u) == 0x7f800000u);
  }
  return bad == 0;
}
