// Winograd's products for four output rows by vectors.
#pragma once
#include "mixing.h"
#include "winograd_transform.h"

enum { WINOGRAD_ROWS = 4, POINTS = WINOGRAD_POINTS(WINOGRAD_ROWS) };

static dn_convolution_sizes winograd_sizes(ptrdiff_t outputs, ptrdiff_t inputs) {
    return (dn_convolution_sizes){
        .weights = POINTS * whole_groups(outputs) * inputs * 3,
        .scratch = POINTS * (inputs * WINOGRAD_PITCH + whole_groups(outputs) * WINOGRAD_COLUMNS) + 64,
    };
}

static void winograd_weights(const float *w, ptrdiff_t outputs, ptrdiff_t inputs, float *u) {
    const ptrdiff_t size = whole_groups(outputs) * inputs * 3;
    for (ptrdiff_t o = 0; o < whole_groups(outputs); o++) {
        const ptrdiff_t first = o / MIX_ROWS * MIX_ROWS, group = smaller(MIX_ROWS, whole_groups(outputs) - first);
        for (ptrdiff_t k = 0; k < inputs * 3; k++) {
            float points[POINTS] = {0};
            if (o < outputs) winograd_points(w + (o * inputs + k / 3) * 9 + k % 3, WINOGRAD_ROWS, points);
            float *to = u + first * inputs * 3 + k * group + o - first;
            for (int j = 0; j < POINTS; j++) to[j * size] = points[j];
        }
    }
}

/// A group of outputs × MIX_COLUMNS columns: the sum over inputs and the three horizontal taps.
INLINE void winograd_tile(const float *u, const float *v, ptrdiff_t inputs, const int group, float *m) {
    vfloat sums[MIX_ROWS][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < group; r++) sums[r][0] = sums[r][1] = 0;
    for (ptrdiff_t c = 0; c < inputs; c++) {
#pragma clang loop unroll(full)
        for (int tap = 0; tap < 3; tap++) {
            const vfloat left = load(v + tap), right = load(v + tap + LANES);
#pragma clang loop unroll(full)
            for (int r = 0; r < group; r++) {
                const vfloat weight = u[tap * group + r];
                sums[r][0] += weight * left;
                sums[r][1] += weight * right;
            }
        }
        v += WINOGRAD_PITCH;
        u += 3 * group;
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < group; r++) {
        store(m + r * WINOGRAD_COLUMNS, sums[r][0]);
        store(m + r * WINOGRAD_COLUMNS + LANES, sums[r][1]);
    }
}

/// One of the six products: [outputs, inputs·3] · [inputs·3, columns].
INLINE void winograd_product(const float *u, const float *v, ptrdiff_t outputs, ptrdiff_t inputs, ptrdiff_t columns,
                             float *m) {
    for (ptrdiff_t o = 0; o < outputs; o += MIX_ROWS)
        for (ptrdiff_t p = 0; p < columns; p += MIX_COLUMNS) {
            const float *weights = u + o * inputs * 3;
            float *to = m + o * WINOGRAD_COLUMNS + p;
            if (outputs - o > MIX_ROWS - MIX_STEP)
                winograd_tile(weights, v + p, inputs, MIX_ROWS, to);
            else if (outputs - o > MIX_STEP)
                winograd_tile(weights, v + p, inputs, MIX_ROWS - MIX_STEP, to);
            else
                winograd_tile(weights, v + p, inputs, MIX_STEP, to);
        }
}

static void winograd_all_products(const float *u, const float *v, ptrdiff_t v_point, ptrdiff_t outputs, ptrdiff_t inputs,
                                  ptrdiff_t columns, float *m, ptrdiff_t m_point, float *scratch) {
    (void)scratch;
    for (int j = 0; j < POINTS; j++)
        winograd_product(u + j * whole_groups(outputs) * inputs * 3, v + j * v_point, outputs, inputs, columns,
                         m + j * m_point);
}

static void winograd3x3(const float *u, const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs,
                        const float *x, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch) {
    winograd_chunks(winograd_all_products, WINOGRAD_ROWS, whole_groups(outputs), u, bias, slope, outputs, inputs, x,
                    images, h, w, y, scratch);
}
