// Depthwise 3×3 convolution of a few rows of many channels, whose neighbours lie in the same buffer.
#pragma once
#include "memory.h"

/// `count` columns of `rows` (1 or 2) output rows of one channel, `columns` apart, from `rows` + 2 input rows; a null
/// input row is all zeros.
INLINE void depthwise_band_vector(const float *const *input, const int rows, ptrdiff_t at, ptrdiff_t count,
                                  const vfloat *weights, vfloat bias, float *y, ptrdiff_t columns) {
    vfloat sum[2] = {bias, bias};
#pragma clang loop unroll(full)
    for (int k = 0; k < rows + 2; k++) {
        if (!input[k]) continue;
        const float *p = input[k] + at;
        const vfloat before = get(p - 1, count), here = get(p, count), after = get(p + 1, count);
#pragma clang loop unroll(full)
        for (int j = 0; j < rows; j++) {
            const int tap = k - j;
            if (tap < 0 || tap > 2) continue;
            sum[j] = before * weights[3 * tap] + sum[j];
            sum[j] = here * weights[3 * tap + 1] + sum[j];
            sum[j] = after * weights[3 * tap + 2] + sum[j];
        }
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < rows; j++) put(y + j * columns + at, sum[j], count);
}

/// The next channel's rows, `ahead` values further, are fetched meanwhile.
INLINE void depthwise_band_rows(const float *const *input, ptrdiff_t ahead, const int rows, ptrdiff_t columns,
                                const vfloat *weights, vfloat bias, float *y) {
    EACH_VECTOR(i, columns, {
        for (int k = 0; k < rows + 2; k++)
            if (input[k]) __builtin_prefetch(input[k] + ahead + i);
        depthwise_band_vector(input, rows, i, count, weights, bias, y, columns);
    });
}

static void depthwise3x3_band(const float *x, ptrdiff_t x_stride, const ptrdiff_t *row_offsets, ptrdiff_t rows,
                              ptrdiff_t columns, ptrdiff_t channels, const float *w9, const float *bias, float *y,
                              ptrdiff_t y_stride) {
    for (ptrdiff_t c = 0; c < channels; c++) {
        vfloat weights[9];
        for (int k = 0; k < 9; k++) weights[k] = w9[9 * c + k];
        const vfloat offset = bias ? bias[c] : 0;
        for (ptrdiff_t r = 0; r < rows; r += 2) {
            const float *input[4];
            for (int k = 0; k < 4; k++) {
                const bool there = r + k < rows + 2 && row_offsets[r + k] >= 0;
                input[k] = there ? x + c * x_stride + row_offsets[r + k] : NULL;
            }
            float *to = y + c * y_stride + r * columns;
            if (r + 2 <= rows)
                depthwise_band_rows(input, x_stride, 2, columns, weights, offset, to);
            else
                depthwise_band_rows(input, x_stride, 1, columns, weights, offset, to);
        }
    }
}
