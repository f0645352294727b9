// Winograd's F(4, 3): four outputs of a convolution with three taps cost six products instead of twelve (A. Lavin,
// S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). Along columns rows stay rows; along a row, every
// fourth value comes to lie in one vector.
//
// The polynomials meet at 0, ±√½, ±√2 and infinity. At 0, ±1, ±2 and infinity, which most use, rounding errors are two to
// three times as large, and the largest five times.
#pragma once
#include "memory.h"

enum { FOUR = 4, POINTS = 6 };

static const float NEAR_POINT = 0.70710678f, FAR_POINT = 2 * 0.70710678f;

/// The points of three taps that lie `step` apart.
INLINE void winograd_taps(const float *taps, ptrdiff_t step, float *points) {
    const float a = taps[0], b = taps[step], c = taps[2 * step];
    points[0] = a;
    points[1] = (a + NEAR_POINT * b + c / 2) / -1.5f;
    points[2] = (a - NEAR_POINT * b + c / 2) / -1.5f;
    points[3] = (a + FAR_POINT * b + 2 * c) / 6;
    points[4] = (a - FAR_POINT * b + 2 * c) / 6;
    points[5] = c;
}

/// The points of six inputs, each in vectors.
INLINE void winograd_input(const vfloat *d, vfloat *points) {
    const vfloat even = d[4] - 2 * d[2], odd = NEAR_POINT * (d[3] - 2 * d[1]);
    const vfloat far_even = d[4] - d[2] / 2, far_odd = FAR_POINT * (d[3] - d[1] / 2);
    points[0] = d[0] - 2.5f * d[2] + d[4];
    points[1] = even + odd;
    points[2] = even - odd;
    points[3] = far_even + far_odd;
    points[4] = far_even - far_odd;
    points[5] = d[1] - 2.5f * d[3] + d[5];
}

/// Four outputs from the products at the six points.
INLINE void winograd_output(const vfloat *products, vfloat *y) {
    const vfloat even = products[1] + products[2], odd = NEAR_POINT * (products[1] - products[2]);
    const vfloat far_even = products[3] + products[4], far_odd = FAR_POINT * (products[3] - products[4]);
    y[0] = products[0] + even + far_even;
    y[1] = odd + far_odd;
    y[2] = even / 2 + 2 * far_even;
    y[3] = odd / 2 + 2 * far_odd + products[5];
}

/// Every fourth of 4·LANES values, from each of the first four on.
INLINE void fourths(const float *v, vfloat *parts) {
    const vpair near = apart(load(v), load(v + LANES)), far = apart(load(v + 2 * LANES), load(v + 3 * LANES));
    const vpair even = apart(near.first, far.first), odd = apart(near.second, far.second);
    parts[0] = even.first, parts[1] = odd.first, parts[2] = even.second, parts[3] = odd.second;
}

/// The points of each four of n outputs from the n + 2 values at v; n is a multiple of 4·LANES.
INLINE void row_input(const float *v, ptrdiff_t n, float *to, ptrdiff_t point) {
    vfloat d[POINTS], points[POINTS], next[FOUR];
    fourths(v, d);
    for (ptrdiff_t p = FOUR * LANES; p <= n; p += FOUR * LANES, to += LANES) {
        if (p < n)
            fourths(v + p, next);
        else
            next[0] = v[p], next[1] = v[p + 1];
        d[4] = one_on(d[0], next[0]), d[5] = one_on(d[1], next[1]);
        winograd_input(d, points);
        for (int k = 0; k < POINTS; k++) store(to + k * point, points[k]);
        for (int k = 0; k < FOUR; k++) d[k] = next[k];
    }
}

/// n outputs from the products of each four; n is a multiple of 4·LANES.
INLINE void row_output(const float *m, ptrdiff_t point, ptrdiff_t n, float *y) {
    for (ptrdiff_t p = 0; p < n; p += FOUR * LANES, m += LANES) {
        vfloat products[POINTS], outputs[FOUR];
        for (int k = 0; k < POINTS; k++) products[k] = load(m + k * point);
        winograd_output(products, outputs);
        const vpair even = together(outputs[0], outputs[2]), odd = together(outputs[1], outputs[3]);
        const vpair near = together(even.first, odd.first), far = together(even.second, odd.second);
        store(y + p, near.first), store(y + p + LANES, near.second);
        store(y + p + 2 * LANES, far.first), store(y + p + 3 * LANES, far.second);
    }
}
