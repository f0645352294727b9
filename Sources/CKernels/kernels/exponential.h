// Powers of two: 2^r of |r| ≤ ½ is a polynomial of degree 6 (relative error 2e-09).
#pragma once
#include "memory.h"

/// 2^v for v ≤ 0, zero below v = −126.
INLINE vfloat two_to(vfloat v) {
    const float rounder = 0x1.8p23f; // adding it leaves an integer in the low mantissa bits
    const vfloat clamped = v < -126.0f ? (vfloat)-126.0f : v;
    const vfloat shifted = clamped + rounder;
    const vfloat whole = shifted - rounder;
    const vfloat r = clamped - whole;
    vfloat p = 0.000153533615092f * r + 0.00133988749931f;
    p = p * r + 0.00961843736397f;
    p = p * r + 0.0555033246955f;
    p = p * r + 0.240226479135f;
    p = p * r + 0.693147202856f;
    p = p * r + 1.0f;
    const vfloat power = (vfloat)((vint)p + ((vint)shifted << 23));
    return v < -126.0f ? (vfloat)0.0f : power;
}
