// Sums, each as four vectors of partial sums joined at the end: the order depends on n alone.
#pragma once
#include "memory.h"

static float sum(const float *x, ptrdiff_t n) {
    vfloat s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    ptrdiff_t whole = n - n % (4 * LANES);
    for (ptrdiff_t i = 0; i < whole; i += 4 * LANES) {
        s0 += load(x + i);
        s1 += load(x + i + LANES);
        s2 += load(x + i + 2 * LANES);
        s3 += load(x + i + 3 * LANES);
    }
    EACH_VECTOR(i, n - whole, s0 += get(x + whole + i, count););
    return sum_lanes((s0 + s1) + (s2 + s3));
}

static float dot(const float *a, const float *b, ptrdiff_t n) {
    vfloat s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    ptrdiff_t whole = n - n % (4 * LANES);
    for (ptrdiff_t i = 0; i < whole; i += 4 * LANES) {
        s0 = load(a + i) * load(b + i) + s0;
        s1 = load(a + i + LANES) * load(b + i + LANES) + s1;
        s2 = load(a + i + 2 * LANES) * load(b + i + 2 * LANES) + s2;
        s3 = load(a + i + 3 * LANES) * load(b + i + 3 * LANES) + s3;
    }
    EACH_VECTOR(i, n - whole, s0 = get(a + whole + i, count) * get(b + whole + i, count) + s0;);
    return sum_lanes((s0 + s1) + (s2 + s3));
}
