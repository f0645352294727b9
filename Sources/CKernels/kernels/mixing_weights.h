// The weight gradient of a 1×1 convolution: every output's gradient times every input, summed over the pixels.
//
// Both operands are read along their rows as they lie. A tile of DOT_ROWS × DOT_COLUMNS sums is kept in registers, one
// vector each, and its lanes are added at the end of a block of pixels whose rows stay in the second-level cache.
#pragma once
#include "memory.h"

#if VECTOR_BYTES == 64
enum { DOT_ROWS = 4, DOT_COLUMNS = 6 }; // 24 of 32 registers accumulate
#else
enum { DOT_ROWS = 3, DOT_COLUMNS = 4 }; // 12 of 16
#endif
enum { DOT_BLOCK = 1024 };

/// Adds the products of the `count` pixels from p on.
INLINE void dot_step(const float *const *left, const float *const *right, ptrdiff_t p, ptrdiff_t count,
                     vfloat (*sums)[DOT_COLUMNS]) {
    vfloat b[DOT_COLUMNS];
#pragma clang loop unroll(full)
    for (int k = 0; k < DOT_COLUMNS; k++) b[k] = get(right[k] + p, count);
#pragma clang loop unroll(full)
    for (int m = 0; m < DOT_ROWS; m++) {
        const vfloat a = get(left[m] + p, count);
#pragma clang loop unroll(full)
        for (int k = 0; k < DOT_COLUMNS; k++) sums[m][k] += a * b[k];
    }
}

/// dw[m][k] += Σ g[m]·x[k] for a tile of rows × columns sums; absent rows repeat the first one and are not stored.
INLINE void dot_tile(const float *g, ptrdiff_t g_stride, ptrdiff_t rows, const float *const *x, ptrdiff_t columns,
                     ptrdiff_t pixels, float *dw, ptrdiff_t dw_row) {
    const float *left[DOT_ROWS], *right[DOT_COLUMNS];
    vfloat sums[DOT_ROWS][DOT_COLUMNS];
#pragma clang loop unroll(full)
    for (int m = 0; m < DOT_ROWS; m++) left[m] = g + (m < rows ? m : 0) * g_stride;
#pragma clang loop unroll(full)
    for (int k = 0; k < DOT_COLUMNS; k++) right[k] = x[k < columns ? k : 0];
#pragma clang loop unroll(full)
    for (int m = 0; m < DOT_ROWS; m++)
#pragma clang loop unroll(full)
        for (int k = 0; k < DOT_COLUMNS; k++) sums[m][k] = 0;
    EACH_VECTOR(p, pixels, { dot_step(left, right, p, count, sums); });
#pragma clang loop unroll(full)
    for (int m = 0; m < DOT_ROWS; m++)
#pragma clang loop unroll(full)
        for (int k = 0; k < DOT_COLUMNS; k++)
            if (m < rows && k < columns) dw[m * dw_row + k] += sum_lanes(sums[m][k]);
}

/// A column of tiles: a few rows of x with all outputs.
INLINE void dot_outputs(const float *g, ptrdiff_t g_stride, ptrdiff_t outputs, const float *const *x, ptrdiff_t columns,
                        ptrdiff_t pixels, float *dw, ptrdiff_t dw_row) {
    for (ptrdiff_t o = 0; o < outputs; o += DOT_ROWS)
        dot_tile(g + o * g_stride, g_stride, outputs - o, x, columns, pixels, dw + o * dw_row, dw_row);
}

static void mix_channels_weights(const float *g, ptrdiff_t g_stride, ptrdiff_t outputs, const float *x,
                                 ptrdiff_t x_stride, ptrdiff_t inputs, ptrdiff_t pixels, float *dw, ptrdiff_t dw_row) {
    // What passes many times should be the smaller side.
    const ptrdiff_t group = outputs < inputs ? outputs : DOT_ROWS;
    for (ptrdiff_t first = 0; first < pixels; first += DOT_BLOCK) {
        const ptrdiff_t length = smaller(pixels - first, DOT_BLOCK);
        for (ptrdiff_t o = 0; o < outputs; o += group)
            for (ptrdiff_t i = 0; i < inputs; i += DOT_COLUMNS) {
                const float *rows[DOT_COLUMNS];
                for (ptrdiff_t k = 0; k < smaller(DOT_COLUMNS, inputs - i); k++) rows[k] = x + (i + k) * x_stride + first;
                dot_outputs(g + o * g_stride + first, g_stride, smaller(outputs - o, group), rows,
                            inputs - i, length, dw + o * dw_row + i, dw_row);
            }
    }
}
