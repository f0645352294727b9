// A product of a small matrix with many pixels: 1×1 convolutions, and others of unfolded neighbourhoods.
//
// Both sides are packed. Pixels lie in panels of MIX_COLUMNS, [inputs][MIX_COLUMNS] each, so that one panel stays in the
// first-level cache while the weights, [inputs][MIX_ROWS] for each group of outputs, stream past it. A tile of MIX_ROWS
// outputs × one panel is accumulated in registers over all inputs.
#pragma once
#include "memory.h"

// Outputs of a group, and the step by which the last group may be smaller.
#if VECTOR_BYTES == 64
enum { MIX_ROWS = 12, MIX_STEP = 4 }; // 24 of 32 registers accumulate
#elif VECTOR_BYTES == 32
enum { MIX_ROWS = 6, MIX_STEP = 2 }; // 12 of 16
#else
enum { MIX_ROWS = 4, MIX_STEP = 2 }; // 8 of 16
#endif
enum { MIX_COLUMNS = 2 * LANES };

/// Outputs with those that fill the last group.
INLINE ptrdiff_t whole_groups(ptrdiff_t outputs) { return (outputs + MIX_STEP - 1) / MIX_STEP * MIX_STEP; }

/// Values of [outputs/MIX_ROWS][inputs][MIX_ROWS], zeros behind the last output.
static ptrdiff_t packed_weights(ptrdiff_t outputs, ptrdiff_t inputs) { return whole_groups(outputs) * inputs; }

/// One group, written in order: where outputs lie side by side, `MIX_ROWS` of them are copied at once.
INLINE void pack_group(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, ptrdiff_t rows, ptrdiff_t group,
                       ptrdiff_t inputs, float *packed) {
    if (rows == MIX_ROWS && w_row == 1) {
        for (ptrdiff_t i = 0; i < inputs; i++) memcpy(packed + i * MIX_ROWS, w + i * w_column, sizeof(float[MIX_ROWS]));
        return;
    }
    for (ptrdiff_t i = 0; i < inputs; i++, w += w_column, packed += group) {
        if (rows == MIX_ROWS) {
#pragma clang loop unroll(full)
            for (ptrdiff_t m = 0; m < MIX_ROWS; m++) packed[m] = w[m * w_row];
        } else {
            for (ptrdiff_t m = 0; m < group; m++) packed[m] = m < rows ? w[m * w_row] : 0;
        }
    }
}

static void pack_weights(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, const float *row_scale,
                         const float *column_scale, ptrdiff_t outputs, ptrdiff_t inputs, float *packed) {
    for (ptrdiff_t first = 0; first < outputs; first += MIX_ROWS) {
        const ptrdiff_t group = smaller(MIX_ROWS, whole_groups(outputs - first)), rows = smaller(group, outputs - first);
        pack_group(w + first * w_row, w_row, w_column, rows, group, inputs, packed);
        for (ptrdiff_t i = 0; (row_scale || column_scale) && i < inputs; i++)
            for (ptrdiff_t m = 0; m < rows; m++)
                packed[i * group + m] *= (row_scale ? row_scale[first + m] : 1) * (column_scale ? column_scale[i] : 1);
        packed += inputs * group;
    }
}

/// Pixels with those that fill the last panel.
INLINE ptrdiff_t whole_panels(ptrdiff_t pixels) { return (pixels + MIX_COLUMNS - 1) / MIX_COLUMNS * MIX_COLUMNS; }

/// Channels a power of two apart share the same few sets of each cache, so that few may be fetched ahead of their turn.
enum { PACK_AHEAD = 4 };

static void pack_pixels(const float *x, ptrdiff_t stride, ptrdiff_t inputs, ptrdiff_t pixels, ptrdiff_t ahead,
                        float *panels) {
    const ptrdiff_t whole = pixels / MIX_COLUMNS * MIX_COLUMNS, rest = pixels - whole;
    for (ptrdiff_t i = 0; i < inputs; i++) {
        const float *row = x + i * stride;
        float *to = panels + i * MIX_COLUMNS;
        const bool is_there = i + PACK_AHEAD < inputs;
        const float *next = row + PACK_AHEAD * stride - (is_there ? 0 : inputs * stride - ahead);
        for (ptrdiff_t p = 0; (is_there || ahead) && p < pixels; p += 16) __builtin_prefetch(next + p, 0, 2);
        for (ptrdiff_t p = 0; p < whole; p += MIX_COLUMNS, to += inputs * MIX_COLUMNS) {
            store(to, load(row + p));
            store(to + LANES, load(row + p + LANES));
        }
        if (rest == 0) continue;
        store(to, get(row + whole, rest < LANES ? rest : LANES));
        store(to + LANES, rest > LANES ? get(row + whole + LANES, rest - LANES) : (vfloat)0);
    }
}

/// Rows and columns of LANES vectors exchanged: each round lays both halves of the rows together.
INLINE void transpose(vfloat *rows) {
#pragma clang loop unroll(full)
    for (int round = 1; round < LANES; round *= 2) {
        vfloat next[LANES];
#pragma clang loop unroll(full)
        for (int k = 0; k < LANES / 2; k++) {
            const vpair pair = together(rows[k], rows[k + LANES / 2]);
            next[2 * k] = pair.first;
            next[2 * k + 1] = pair.second;
        }
#pragma clang loop unroll(full)
        for (int k = 0; k < LANES; k++) rows[k] = next[k];
    }
}

/// `count` values of each of the first `pixels` ≤ LANES rows, as columns of a panel.
INLINE void pack_block(const float *x, ptrdiff_t stride, ptrdiff_t pixels, ptrdiff_t count, float *panel) {
    vfloat rows[LANES];
#pragma clang loop unroll(full)
    for (int p = 0; p < LANES; p++) rows[p] = p < pixels ? get(x + p * stride, count) : (vfloat)0;
    transpose(rows);
#pragma clang loop unroll(full)
    for (int k = 0; k < LANES; k++)
        if (k < count) store(panel + k * MIX_COLUMNS, rows[k]);
}

/// The same as `pack_pixels` of a matrix whose rows are the pixels: x[p·stride + i].
static void pack_transposed(const float *x, ptrdiff_t stride, ptrdiff_t pixels, ptrdiff_t inputs, float *panels) {
    for (ptrdiff_t first = 0; first < whole_panels(pixels); first += LANES) {
        float *half = panels + first / MIX_COLUMNS * MIX_COLUMNS * inputs + first % MIX_COLUMNS;
        EACH_VECTOR(i, inputs,
                    pack_block(x + first * stride + i, stride, pixels - first, count, half + i * MIX_COLUMNS););
    }
}

/// Stores `count` values of one output: sum + offset (+ base).
INLINE void mix_store(vfloat sum, const float *base, float *y, ptrdiff_t count) {
    if (base) sum += get(base, count);
    put(y, sum, count);
}

/// A group of outputs × `halves` vectors of pixels, of which `rows` outputs and `columns` pixels are stored.
INLINE void mix_tile(const float *w, const float *panel, ptrdiff_t inputs, const float *bias, const int group,
                     const int halves, ptrdiff_t rows, ptrdiff_t columns, const float *base, ptrdiff_t base_stride,
                     float *y, ptrdiff_t y_stride) {
    vfloat sums[MIX_ROWS][2];
#pragma clang loop unroll(full)
    for (int m = 0; m < group; m++) {
        sums[m][0] = sums[m][1] = 0;
        if (m >= rows) continue;
        // What is written is on its way while the sums are computed.
        __builtin_prefetch(y + m * y_stride, 1);
        if (halves == 2) __builtin_prefetch(y + m * y_stride + LANES, 1);
        if (base && base != y) __builtin_prefetch(base + m * base_stride);
        if (base && base != y && halves == 2) __builtin_prefetch(base + m * base_stride + LANES);
    }
    for (ptrdiff_t i = 0; i < inputs; i++) {
        const vfloat left = load(panel), right = halves == 2 ? load(panel + LANES) : left;
#pragma clang loop unroll(full)
        for (int m = 0; m < group; m++) {
            const vfloat weight = w[m];
            sums[m][0] += weight * left;
            if (halves == 2) sums[m][1] += weight * right;
        }
        panel += MIX_COLUMNS;
        w += group;
    }
    const ptrdiff_t last = smaller(columns - (halves - 1) * LANES, LANES); // pixels of the last vector
#pragma clang loop unroll(full)
    for (int m = 0; m < group; m++) {
        if (m >= rows) break;
        const vfloat offset = bias ? bias[m] : 0;
        const float *from = base ? base + m * base_stride : NULL;
        float *to = y + m * y_stride;
        if (halves == 2) mix_store(sums[m][0] + offset, from, to, LANES);
        const ptrdiff_t at = (halves - 1) * LANES;
        mix_store(sums[m][halves - 1] + offset, from ? from + at : NULL, to + at, last);
    }
}

/// The tile for this number of pixels.
INLINE void mix_pixels(const float *w, const float *panel, ptrdiff_t inputs, const float *bias, const int group,
                        ptrdiff_t rows, ptrdiff_t columns, const float *base, ptrdiff_t base_stride, float *y,
                        ptrdiff_t y_stride) {
    if (columns >= MIX_COLUMNS && rows >= MIX_ROWS)
        mix_tile(w, panel, inputs, bias, MIX_ROWS, 2, MIX_ROWS, MIX_COLUMNS, base, base_stride, y, y_stride);
    else if (columns > LANES)
        mix_tile(w, panel, inputs, bias, group, 2, rows, columns, base, base_stride, y, y_stride);
    else
        mix_tile(w, panel, inputs, bias, group, 1, rows, columns, base, base_stride, y, y_stride);
}

/// The tile for this number of outputs.
INLINE void mix_group(const float *w, const float *panel, ptrdiff_t inputs, const float *bias, ptrdiff_t rows,
                      ptrdiff_t columns, const float *base, ptrdiff_t base_stride, float *y, ptrdiff_t y_stride) {
    if (rows > MIX_ROWS - MIX_STEP)
        mix_pixels(w, panel, inputs, bias, MIX_ROWS, rows, columns, base, base_stride, y, y_stride);
    else if (rows > MIX_STEP)
        mix_pixels(w, panel, inputs, bias, MIX_ROWS - MIX_STEP, rows, columns, base, base_stride, y, y_stride);
    else
        mix_pixels(w, panel, inputs, bias, MIX_STEP, rows, columns, base, base_stride, y, y_stride);
}

/// Values of packed weights that stay in the second-level cache while a band's panels pass, and of panels that stay in
/// the first-level cache while these weights pass.
enum { MIX_WEIGHTS = 96 * 1024, MIX_PANELS = 6 * 1024 };

static void mix_packed(const float *packed, const float *bias, ptrdiff_t outputs, ptrdiff_t inputs, const float *panels,
                       ptrdiff_t pixels, const float *base, ptrdiff_t base_stride, float *y, ptrdiff_t y_stride) {
    const ptrdiff_t block = (MIX_WEIGHTS / inputs / MIX_ROWS + 1) * MIX_ROWS;
    const ptrdiff_t chunk = (MIX_PANELS / inputs / MIX_COLUMNS + 1) * MIX_COLUMNS;
    for (ptrdiff_t start = 0; start < outputs; start += block) {
        const ptrdiff_t end = smaller(outputs, start + block);
        for (ptrdiff_t first = 0; first < pixels; first += chunk) {
            const ptrdiff_t last = smaller(pixels, first + chunk);
            for (ptrdiff_t o = start; o < end; o += MIX_ROWS)
                for (ptrdiff_t p = first; p < last; p += MIX_COLUMNS)
                    mix_group(packed + o * inputs, panels + p * inputs, inputs, bias ? bias + o : NULL,
                              smaller(end - o, MIX_ROWS), pixels - p, base ? base + o * base_stride + p : NULL,
                              base_stride, y + o * y_stride + p, y_stride);
        }
    }
}
