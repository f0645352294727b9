// A product of a small matrix with many pixels: 1×1 convolutions, and 3×3 ones of unfolded neighbourhoods.
//
// A block of pixels is copied once into a panel that stays in the first cache levels, then every group of output channels
// is accumulated in registers over all input channels: MIX_ROWS outputs × two vectors of pixels at a time.
#pragma once
#include "memory.h"

#if VECTOR_BYTES == 64
#define MIX_ROWS 12 // 24 of 32 registers accumulate
#elif VECTOR_BYTES == 32
#define MIX_ROWS 6 // 12 of 16
#else
#define MIX_ROWS 4 // 8 of 16
#endif
#define MIX_COLUMNS (2 * LANES)

/// Pixels of a panel: a multiple of MIX_COLUMNS, at most DN_MIX_PANEL values for all inputs where that is possible.
INLINE ptrdiff_t panel_width(ptrdiff_t inputs) {
    const ptrdiff_t fitting = DN_MIX_PANEL / inputs / MIX_COLUMNS * MIX_COLUMNS;
    return fitting < MIX_COLUMNS ? MIX_COLUMNS : fitting < 256 ? fitting : 256;
}

/// w as [outputs / MIX_ROWS][inputs][MIX_ROWS], zeros behind the last output.
INLINE void pack_weights(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, ptrdiff_t outputs, ptrdiff_t inputs,
                         float *packed) {
    for (ptrdiff_t first = 0; first < outputs; first += MIX_ROWS)
        for (ptrdiff_t i = 0; i < inputs; i++)
            for (ptrdiff_t o = first; o < first + MIX_ROWS; o++)
                *packed++ = o < outputs ? w[o * w_row + i * w_column] : 0;
}

/// The panel [inputs][width] of the first `pixels` pixels, zeros behind them.
INLINE void pack_panel(const float *x, ptrdiff_t stride, ptrdiff_t inputs, ptrdiff_t pixels, ptrdiff_t width, float *panel) {
    for (ptrdiff_t i = 0; i < inputs; i++) {
        float *row = panel + i * width;
        EACH_VECTOR(p, pixels, { store(row + p, get(x + i * stride + p, count)); });
        for (ptrdiff_t p = (pixels + LANES - 1) / LANES * LANES; p < width; p += LANES) store(row + p, 0);
    }
}

/// MIX_ROWS outputs of MIX_COLUMNS pixels, of which `rows` and `columns` are stored.
INLINE void mix_tile(const float *w, const float *panel, ptrdiff_t width, ptrdiff_t inputs, const float *bias,
                     ptrdiff_t rows, ptrdiff_t columns, float *y, ptrdiff_t y_stride, bool adding) {
    vfloat sums[MIX_ROWS][2];
#pragma clang loop unroll(full)
    for (int m = 0; m < MIX_ROWS; m++) sums[m][0] = sums[m][1] = 0;
    for (ptrdiff_t i = 0; i < inputs; i++) {
        const vfloat left = load(panel + i * width), right = load(panel + i * width + LANES);
#pragma clang loop unroll(full)
        for (int m = 0; m < MIX_ROWS; m++) {
            const vfloat weight = w[i * MIX_ROWS + m];
            sums[m][0] += weight * left;
            sums[m][1] += weight * right;
        }
    }
#pragma clang loop unroll(full)
    for (int m = 0; m < MIX_ROWS; m++) {
        if (m >= rows) break;
        float *row = y + m * y_stride;
        const vfloat offset = bias ? bias[m] : 0;
#pragma clang loop unroll(full)
        for (int half = 0; half < 2; half++) {
            const ptrdiff_t rest = columns - half * LANES, count = rest < LANES ? rest : LANES;
            if (count <= 0) break;
            vfloat sum = sums[m][half] + offset;
            if (adding) sum += get(row + half * LANES, count);
            put(row + half * LANES, sum, count);
        }
    }
}

static void mix_channels(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, const float *bias, ptrdiff_t outputs,
                         ptrdiff_t inputs, const float *x, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride,
                         ptrdiff_t pixels, bool adding, float *scratch) {
    const ptrdiff_t width = panel_width(inputs), groups = (outputs + MIX_ROWS - 1) / MIX_ROWS;
    float *packed = scratch, *panel = scratch + groups * MIX_ROWS * inputs;
    pack_weights(w, w_row, w_column, outputs, inputs, packed);
    for (ptrdiff_t first = 0; first < pixels; first += width) {
        const ptrdiff_t count = pixels - first < width ? pixels - first : width;
        pack_panel(x + first, x_stride, inputs, count, width, panel);
        for (ptrdiff_t group = 0; group < groups; group++) {
            const ptrdiff_t o = group * MIX_ROWS, rows = outputs - o < MIX_ROWS ? outputs - o : MIX_ROWS;
            for (ptrdiff_t p = 0; p < count; p += MIX_COLUMNS)
                mix_tile(packed + o * inputs, panel + p, width, inputs, bias ? bias + o : NULL, rows, count - p,
                         y + o * y_stride + first + p, y_stride, adding);
        }
    }
}
