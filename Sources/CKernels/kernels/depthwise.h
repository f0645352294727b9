// Depthwise 3×3 convolution of one plane.
//
// A block of DEPTHWISE_ROWS output rows is computed at once, so that every input vector is loaded once for up to three
// rows. The neighbours of a vector are loaded unaligned; at the plane's edges they are the vector itself, moved by one
// lane.
#pragma once
#include "memory.h"

/// Four rows need 9 weights, 4 sums and 3 inputs in registers. With 16 registers some weights are read from the stack,
/// which costs less than loading every input for fewer rows.
enum { DEPTHWISE_ROWS = 4 };

/// `rows` × `count` outputs; x and y point to the first of them. Neighbours exist above, below, left and right if told.
INLINE void depthwise_block(const float *x, ptrdiff_t w, const int rows, bool above, bool below, const bool left,
                            const bool right, ptrdiff_t count, const vfloat *weights, vfloat bias, float *y) {
    vfloat sum[DEPTHWISE_ROWS];
#pragma clang loop unroll(full)
    for (int j = 0; j < rows; j++)
        sum[j] = bias;
#pragma clang loop unroll(full)
    for (int i = -1; i <= rows; i++) {
        if ((i < 0 && !above) || (i == rows && !below)) continue;
        const float *p = x + i * w;
        const vfloat here = get(p, count);
        const vfloat before = left ? get(p - 1, count) : from_left(here);
        const vfloat after = right ? get(p + 1, count) : one_on(here, 0);
#pragma clang loop unroll(full)
        for (int j = 0; j < rows; j++) {
            const int tap = i - j + 1;
            if (tap < 0 || tap > 2) continue;
            sum[j] = before * weights[3 * tap] + sum[j];
            sum[j] = here * weights[3 * tap + 1] + sum[j];
            sum[j] = after * weights[3 * tap + 2] + sum[j];
        }
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < rows; j++)
        put(y + j * w, sum[j], count);
}

/// `rows` whole rows. The last vector of a row overlaps the one before rather than being a partial one.
INLINE void depthwise_rows(const float *x, ptrdiff_t w, const int rows, bool above, bool below, const vfloat *weights,
                           vfloat bias, float *y) {
    if (w < LANES) {
        depthwise_block(x, w, rows, above, below, false, false, w, weights, bias, y);
        return;
    }
    if (w == LANES) {
        depthwise_block(x, w, rows, above, below, false, false, LANES, weights, bias, y);
        return;
    }
    depthwise_block(x, w, rows, above, below, false, true, LANES, weights, bias, y);
    ptrdiff_t c = LANES;
    for (; c + LANES < w; c += LANES)
        depthwise_block(x + c, w, rows, above, below, true, true, LANES, weights, bias, y + c);
    c = w - LANES;
    depthwise_block(x + c, w, rows, above, below, true, false, LANES, weights, bias, y + c);
}

static void depthwise3x3(const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t r0, ptrdiff_t r1, const float *w9,
                         float bias, float *y) {
    vfloat weights[9];
    for (int k = 0; k < 9; k++)
        weights[k] = w9[k];
    const ptrdiff_t rows = DEPTHWISE_ROWS;
    ptrdiff_t r = r0;
    for (; r1 - r >= rows; r += rows) {
        if (r > 0 && r + rows < h)
            depthwise_rows(x + r * w, w, rows, true, true, weights, bias, y + (r - r0) * w);
        else
            depthwise_rows(x + r * w, w, rows, r > 0, r + rows < h, weights, bias, y + (r - r0) * w);
    }
    for (; r < r1; r++)
        depthwise_rows(x + r * w, w, 1, r > 0, r + 1 < h, weights, bias, y + (r - r0) * w);
}

/// Adds g(p)·x(p+δ_k) of `rows` × `count` positions to the nine sums.
INLINE void gather_taps(const float *x, const float *g, ptrdiff_t w, const int rows, bool above, bool below,
                        const bool left, const bool right, ptrdiff_t count, vfloat *sum) {
    vfloat gradient[DEPTHWISE_ROWS];
#pragma clang loop unroll(full)
    for (int j = 0; j < rows; j++)
        gradient[j] = get(g + j * w, count);
#pragma clang loop unroll(full)
    for (int i = -1; i <= rows; i++) {
        if ((i < 0 && !above) || (i == rows && !below)) continue;
        const float *p = x + i * w;
        const vfloat here = get(p, count);
        const vfloat before = left ? get(p - 1, count) : from_left(here);
        const vfloat after = right ? get(p + 1, count) : one_on(here, 0);
#pragma clang loop unroll(full)
        for (int j = 0; j < rows; j++) {
            const int tap = i - j + 1;
            if (tap < 0 || tap > 2) continue;
            sum[3 * tap] = before * gradient[j] + sum[3 * tap];
            sum[3 * tap + 1] = here * gradient[j] + sum[3 * tap + 1];
            sum[3 * tap + 2] = after * gradient[j] + sum[3 * tap + 2];
        }
    }
}

INLINE void gather_rows(const float *x, const float *g, ptrdiff_t w, const int rows, bool above, bool below,
                        vfloat *sum) {
    if (w < LANES) {
        gather_taps(x, g, w, rows, above, below, false, false, w, sum);
        return;
    }
    if (w == LANES) {
        gather_taps(x, g, w, rows, above, below, false, false, LANES, sum);
        return;
    }
    gather_taps(x, g, w, rows, above, below, false, true, LANES, sum);
    ptrdiff_t c = LANES;
    for (; c + LANES < w; c += LANES)
        gather_taps(x + c, g + c, w, rows, above, below, true, true, LANES, sum);
    if (c + LANES == w)
        gather_taps(x + c, g + c, w, rows, above, below, true, false, LANES, sum);
    else
        gather_taps(x + c, g + c, w, rows, above, below, true, false, w - c, sum);
}

static void depthwise3x3_weights(const float *x, const float *g, ptrdiff_t h, ptrdiff_t w, float *dw9) {
    vfloat sum[9] = {0};
    const ptrdiff_t rows = DEPTHWISE_ROWS;
    ptrdiff_t r = 0;
    for (; h - r >= rows; r += rows)
        gather_rows(x + r * w, g + r * w, w, rows, r > 0, r + rows < h, sum);
    for (; r < h; r++)
        gather_rows(x + r * w, g + r * w, w, 1, r > 0, r + 1 < h, sum);
    for (int k = 0; k < 9; k++)
        dw9[k] += sum_lanes(sum[k]);
}
