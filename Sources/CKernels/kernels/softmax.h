// Softmax over short rows: the maps of attention.
#pragma once
#include "exponential.h"
#include "reductions.h"

INLINE float largest_lane(vfloat v) {
    float largest = v[0];
    for (int lane = 1; lane < LANES; lane++) largest = v[lane] > largest ? v[lane] : largest;
    return largest;
}

static void softmax(const float *x, float s, float *y, ptrdiff_t n) {
    const float scale = s * 1.44269504089f; // to powers of two
    vfloat peaks = x[0] * scale;
    EACH_VECTOR(i, n, {
        const vfloat v = get(x + i, count) * scale;
        peaks = ((lane_numbers() < (vint)(int32_t)count) & (v > peaks)) ? v : peaks;
    });
    const float peak = largest_lane(peaks);
    EACH_VECTOR(i, n, put(y + i, two_to(get(x + i, count) * scale - peak), count););
    const float share = 1.0f / sum(y, n);
    EACH_VECTOR(i, n, put(y + i, get(y + i, count) * share, count););
}

static void softmax_backward(const float *y, const float *g, float *dx, ptrdiff_t n) {
    const float mean = dot(y, g, n);
    EACH_VECTOR(i, n, put(dx + i, get(y + i, count) * (get(g + i, count) - mean), count););
}
