// Vectors of one level. Included once per level file, which defines CK_VECTOR_FLOATS, CK_TILE_ROWS, CK_FUSED (whether
// the instruction set multiplies and adds in one step), CK_NATIVE_HALF (whether it widens half precision) and, where it
// has Winograd's convolutions CK_WINOGRAD.
#include <math.h>
#include <string.h>
#include "table.h"

enum {
  V = CK_VECTOR_FLOATS,
  PANEL_VECTORS = 2,
  NR = PANEL_VECTORS * V,
  MR = CK_TILE_ROWS,
};

typedef float vfloat __attribute__((vector_size(CK_VECTOR_FLOATS * 4)));
typedef int32_t vint __attribute__((vector_size(CK_VECTOR_FLOATS * 4)));
typedef float vfloat_unaligned __attribute__((vector_size(CK_VECTOR_FLOATS * 4), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE vfloat vload(const float *p) { return *(const vfloat_unaligned *)p; }
INLINE void vstore(float *p, vfloat v) { *(vfloat_unaligned *)p = v; }
INLINE vfloat vsplat(float x) { return x - (vfloat){0}; }

/// a · b + c, in one rounding where the level can.
INLINE vfloat vmuladd(vfloat a, vfloat b, vfloat c) {
#if CK_FUSED
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

typedef uint16_t vshort __attribute__((vector_size(CK_VECTOR_FLOATS * 2)));

/// Half precision to float, exactly.
INLINE vfloat vload_half(const uint16_t *p) {
#if CK_NATIVE_HALF
  typedef _Float16 vhalf __attribute__((vector_size(CK_VECTOR_FLOATS * 2)));
  vhalf half;
  memcpy(&half, p, sizeof half);
  return __builtin_convertvector(half, vfloat);
#else
  // Scaling by 2^112 moves the exponent and makes subnormals normal; infinity and NaN get their exponent afterwards.
  vshort half;
  memcpy(&half, p, sizeof half);
  const vint bits = __builtin_convertvector(half, vint), magnitude = (bits & 0x7fff) << 13;
  const vfloat scaled = (vfloat)magnitude * 0x1p112f;
  return (vfloat)((vint)scaled | ((magnitude >= 0x0f800000) & 0x7f800000) | (bits & 0x8000) << 16);
#endif
}

/// bfloat16 to float, exactly.
INLINE vfloat vload_bfloat16(const uint16_t *p) {
  vshort half;
  memcpy(&half, p, sizeof half);
  return (vfloat)(__builtin_convertvector(half, vint) << 16);
}

INLINE vfloat vmax(vfloat a, vfloat b) { return __builtin_elementwise_max(a, b); }
INLINE vfloat vmin(vfloat a, vfloat b) { return __builtin_elementwise_min(a, b); }

/// Loads the first `count` floats, zeros behind them.
INLINE vfloat vload_part(const float *p, size_t count) {
  float lanes[V] = {0};
  memcpy(lanes, p, count * sizeof(float));
  return vload(lanes);
}

INLINE void vstore_part(float *p, vfloat v, size_t count) {
  float lanes[V];
  vstore(lanes, v);
  memcpy(p, lanes, count * sizeof(float));
}

INLINE float vsum(vfloat v) {
  float lanes[V];
  vstore(lanes, v);
  for (int half = V / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}

INLINE float vtop(vfloat v) {
  float lanes[V];
  vstore(lanes, v);
  for (int half = V / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}

/// e^x to about 1 unit in the last place for x in [-87, 88.72]; smaller x give 0, larger ones infinity.
INLINE vfloat vexp(vfloat x) {
  vint live = x > -87.0f, over = x > 88.72f;
  x = vmin(vmax(x, vsplat(-87.0f)), vsplat(88.72f));
  // Adding 1.5 · 2^23 rounds to the nearest whole number and leaves it in the low bits.
  vfloat shifted = vmuladd(x, vsplat(1.44269504088896341f), vsplat(12582912.0f));
  vfloat n = shifted - 12582912.0f;
  vfloat r = vmuladd(n, vsplat(-0.693359375f), x);
  r = vmuladd(n, vsplat(2.12194440e-4f), r);
  // Taylor's series on [-ln2/2, ln2/2]; the seventh term is below half a unit in the last place.
  vfloat p = vsplat(1.0f / 5040);
  p = vmuladd(p, r, vsplat(1.0f / 720));
  p = vmuladd(p, r, vsplat(1.0f / 120));
  p = vmuladd(p, r, vsplat(1.0f / 24));
  p = vmuladd(p, r, vsplat(1.0f / 6));
  p = vmuladd(p, r, vsplat(0.5f));
  p = vmuladd(p, r, vsplat(1.0f));
  p = vmuladd(p, r, vsplat(1.0f));
  vint exponent = ((vint)shifted - 0x4b400000) << 23;
  vint bits = ((vint)p + exponent) & live;
  return (vfloat)((bits & ~over) | ((vint)vsplat(INFINITY) & over));
}

/// Error function to 1e-7 absolute: 1 − e^(−x·g(x)) with g = −log(erfc x)/x fitted on [0, 4], weighted by erfc.
INLINE vfloat verf(vfloat x) {
  vint sign = (vint)x & INT32_MIN;
  vfloat a = vmin((vfloat)((vint)x & INT32_MAX), vsplat(4.0f));
  vfloat g = vsplat(1.323428136856819e-06f);
  g = vmuladd(g, a, vsplat(-2.2693004211760126e-05f));
  g = vmuladd(g, a, vsplat(0.0001731130905682221f));
  g = vmuladd(g, a, vsplat(-0.00075324292993173f));
  g = vmuladd(g, a, vsplat(0.0018154014833271503f));
  g = vmuladd(g, a, vsplat(-0.00026492748293094337f));
  g = vmuladd(g, a, vsplat(-0.019112834706902504f));
  g = vmuladd(g, a, vsplat(0.10277029871940613f));
  g = vmuladd(g, a, vsplat(0.6366199254989624f));
  g = vmuladd(g, a, vsplat(1.128379225730896f));
  vfloat magnitude = 1.0f - vexp(-a * g);
  return (vfloat)((vint)magnitude | sign);
}

INLINE vfloat vsilu(vfloat x) { return x / (1.0f + vexp(-x)); }
INLINE vfloat vquick_gelu(vfloat x) { return x / (1.0f + vexp(-1.702f * x)); }
INLINE vfloat vgelu(vfloat x) { return 0.5f * x * (1.0f + verf(0.70710678118654752f * x)); }
INLINE vfloat vpositive_elu(vfloat x) {
  const vint above = x > 0.0f;
  return (vfloat)(((vint)(x + 1.0f) & above) | ((vint)vexp(x) & ~above));
}

INLINE vfloat activated(const ck_activation kind, vfloat x) {
  switch (kind) {
    case CK_IDENTITY: return x;
    case CK_SILU: return vsilu(x);
    case CK_GELU: return vgelu(x);
    case CK_QUICK_GELU: return vquick_gelu(x);
    case CK_RELU: return vmax(x, vsplat(0.0f));
    case CK_SIGMOID: return 1.0f / (1.0f + vexp(-x));
    case CK_POSITIVE_ELU: return vpositive_elu(x);
  }
  return x;
}
