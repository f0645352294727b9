// Loads, stores and lane movements, at any alignment and without touching memory past `count` values.
#pragma once
#include "vectors.h"

INLINE vfloat load(const float *p) {
    vfloat v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vfloat v) { memcpy(p, &v, sizeof v); }

/// 0, 1, 2 …
INLINE vint lane_numbers(void) {
#if VECTOR_BYTES == 64
    return (vint){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif VECTOR_BYTES == 32
    return (vint){0, 1, 2, 3, 4, 5, 6, 7};
#else
    return (vint){0, 1, 2, 3};
#endif
}

// `load_some` and `store_some` move the first 1 ≤ count < LANES values.
#if VECTOR_BYTES == 64
INLINE __mmask16 first_lanes(ptrdiff_t count) { return (__mmask16)((1u << count) - 1); }
INLINE vfloat load_some(const float *p, ptrdiff_t count) {
    return (vfloat)_mm512_maskz_loadu_ps(first_lanes(count), p);
}
INLINE void store_some(float *p, vfloat v, ptrdiff_t count) { _mm512_mask_storeu_ps(p, first_lanes(count), (__m512)v); }
#elif VECTOR_BYTES == 32
INLINE __m256i first_lanes(ptrdiff_t count) { return (__m256i)(lane_numbers() < (vint)(int32_t)count); }
INLINE vfloat load_some(const float *p, ptrdiff_t count) { return (vfloat)_mm256_maskload_ps(p, first_lanes(count)); }
INLINE void store_some(float *p, vfloat v, ptrdiff_t count) { _mm256_maskstore_ps(p, first_lanes(count), (__m256)v); }
#else
INLINE vfloat load_some(const float *p, ptrdiff_t count) {
    return (vfloat){p[0], count > 1 ? p[1] : 0, count > 2 ? p[2] : 0, 0};
}
INLINE void store_some(float *p, vfloat v, ptrdiff_t count) {
    p[0] = v[0];
    if (count > 1) p[1] = v[1];
    if (count > 2) p[2] = v[2];
}
#endif

/// The first `count` values at p, zeros behind them.
INLINE vfloat get(const float *p, ptrdiff_t count) { return count == LANES ? load(p) : load_some(p, count); }
/// Stores the first `count` lanes.
INLINE void put(float *p, vfloat v, ptrdiff_t count) {
    if (count == LANES)
        store(p, v);
    else
        store_some(p, v, count);
}

/// Lane i becomes lane i − 1, lane 0 zero: the left neighbours at the left edge of a plane.
INLINE vfloat from_left(vfloat v) {
    const vfloat zero = 0;
#if VECTOR_BYTES == 64
    return __builtin_shufflevector(v, zero, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
#elif VECTOR_BYTES == 32
    return __builtin_shufflevector(v, zero, 8, 0, 1, 2, 3, 4, 5, 6);
#else
    return __builtin_shufflevector(v, zero, 4, 0, 1, 2);
#endif
}

/// Lane i becomes lane i + 1, the last one the first of the next vector: at the right edge of a plane, that of zero.
INLINE vfloat one_on(vfloat v, vfloat next) {
#if VECTOR_BYTES == 64
    return __builtin_shufflevector(v, next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
#elif VECTOR_BYTES == 32
    return __builtin_shufflevector(v, next, 1, 2, 3, 4, 5, 6, 7, 8);
#else
    return __builtin_shufflevector(v, next, 1, 2, 3, 4);
#endif
}

typedef struct {
    vfloat first, second;
} vpair;

/// Of the lanes of two vectors, every second one from the first and from the second on.
INLINE vpair apart(vfloat a, vfloat b) {
    vtwice both;
    both.lo = a, both.hi = b;
    return (vpair){both.even, both.odd};
}

/// Both halves of a's and b's lanes in turn.
INLINE vpair together(vfloat a, vfloat b) {
    vtwice both;
    both.even = a, both.odd = b;
    return (vpair){both.lo, both.hi};
}

/// 1/v for finite v ≥ 1, within one unit in the last place. Where a division takes sixteen cycles, an estimate of 14 bits
/// and a Newton step take four.
INLINE vfloat reciprocal(vfloat v) {
#if VECTOR_BYTES == 64
    const vfloat estimate = (vfloat)_mm512_rcp14_ps((__m512)v);
    return estimate * (2.0f - v * estimate);
#else
    return 1.0f / v;
#endif
}

/// The sum of all lanes: halves are added until one value is left.
INLINE float sum_lanes(vfloat v) {
#if VECTOR_BYTES == 64
    const __attribute__((ext_vector_type(8))) float eight = v.lo + v.hi;
    const __attribute__((ext_vector_type(4))) float four = eight.lo + eight.hi;
#elif VECTOR_BYTES == 32
    const __attribute__((ext_vector_type(4))) float four = v.lo + v.hi;
#else
    const vfloat four = v;
#endif
    return (four.x + four.z) + (four.y + four.w);
}

INLINE vint sign_cleared(vfloat v) { return (vint)v & 0x7fffffff; }
INLINE vfloat magnitude(vfloat v) { return (vfloat)sign_cleared(v); }
