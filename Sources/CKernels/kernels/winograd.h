// Dense 3×3 convolution by Winograd's F(4, 3) along the columns: four output rows cost six products instead of twelve
// (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, for the matrices).
//
// Only the vertical direction is transformed. The full F(4×4, 3×3) halves the products once more, but its horizontal
// transform tears vectors apart and its error is ten times larger; here, rows stay rows and the three horizontal taps
// are three shifted reads.
#pragma once
#include "mixing.h"

enum {
    WINOGRAD_ROWS = 4,   // output rows of a tile
    WINOGRAD_POINTS = 6, // products for them
    WINOGRAD_COLUMNS = 64, // columns of a chunk
    WINOGRAD_PITCH = 80,   // values of a row of a chunk with one column on each side
};

static void winograd_weights(const float *w, ptrdiff_t outputs, ptrdiff_t inputs, float *u) {
    const ptrdiff_t size = whole_groups(outputs) * inputs * 3;
    for (ptrdiff_t o = 0; o < whole_groups(outputs); o++) {
        const ptrdiff_t first = o / MIX_ROWS * MIX_ROWS, group = least(MIX_ROWS, whole_groups(outputs) - first);
        for (ptrdiff_t k = 0; k < inputs * 3; k++) {
            float *to = u + first * inputs * 3 + k * group + o - first;
            const float *taps = w + (o * inputs + k / 3) * 9 + k % 3;
            const float a = o < outputs ? taps[0] : 0, b = o < outputs ? taps[3] : 0, c = o < outputs ? taps[6] : 0;
            to[0 * size] = a / 4;
            to[1 * size] = -(a + b + c) / 6;
            to[2 * size] = -(a - b + c) / 6;
            to[3 * size] = (a + 2 * b + 4 * c) / 24;
            to[4 * size] = (a - 2 * b + 4 * c) / 24;
            to[5 * size] = c;
        }
    }
}

/// Part of a chunk: `columns` × WINOGRAD_ROWS outputs of one image from (row, column) on.
typedef struct {
    ptrdiff_t image, row, column, columns;
} winograd_part;

/// The six transformed rows of one channel of a part, each with a column left and right of it.
INLINE void winograd_input(const float *plane, winograd_part part, ptrdiff_t h, ptrdiff_t w, float *v, ptrdiff_t point) {
    const ptrdiff_t from = part.column > 0 ? -1 : 0;
    const ptrdiff_t to = part.column + part.columns < w ? part.columns + 1 : part.columns;
    const float *rows[6];
    for (ptrdiff_t k = 0; k < 6; k++) {
        const ptrdiff_t row = part.row + k - 1;
        rows[k] = row < 0 || row >= h ? NULL : plane + row * w + part.column;
    }
    for (int j = 0; j < 6; j++) v[j * point] = v[j * point + part.columns + 1] = 0;
    EACH_VECTOR(i, to - from, {
        vfloat d[6];
        for (int k = 0; k < 6; k++) {
            d[k] = rows[k] ? get(rows[k] + from + i, count) : (vfloat)0;
            // The next part lies to the right.
            if (rows[k]) __builtin_prefetch(rows[k] + part.columns + i, 0, 2);
        }
        const vfloat even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1], two = d[4] - d[2], twice = 2 * (d[3] - d[1]);
        float *target = v + from + 1 + i;
        put(target, 4 * d[0] - 5 * d[2] + d[4], count);
        put(target + point, even + odd, count);
        put(target + 2 * point, even - odd, count);
        put(target + 3 * point, two + twice, count);
        put(target + 4 * point, two - twice, count);
        put(target + 5 * point, 4 * d[1] - 5 * d[3] + d[5], count);
    });
}

/// v where it is positive, else slope·v; the slope 1 changes nothing.
INLINE vfloat leaky(vfloat v, float slope) { return v > 0.0f ? v : slope * v; }

/// The output rows of one channel of a part from its six products.
INLINE void winograd_output(const float *m, ptrdiff_t point, float bias, float slope, winograd_part part, ptrdiff_t h,
                            ptrdiff_t w, float *plane) {
    const ptrdiff_t rows = h - part.row;
    float *y = plane + part.row * w + part.column;
    EACH_VECTOR(i, part.columns, {
        vfloat p[6];
        for (int j = 0; j < 6; j++) p[j] = get(m + j * point + i, count);
        const vfloat sum = p[1] + p[2], difference = p[1] - p[2], far_sum = p[3] + p[4], far_difference = p[3] - p[4];
        put(y + i, leaky(p[0] + sum + far_sum + bias, slope), count);
        if (rows > 1) put(y + w + i, leaky(difference + 2 * far_difference + bias, slope), count);
        if (rows > 2) put(y + 2 * w + i, leaky(sum + 4 * far_sum + bias, slope), count);
        if (rows > 3) put(y + 3 * w + i, leaky(difference + 8 * far_difference + p[5] + bias, slope), count);
    });
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

/// The parts of an image's rows and columns in order: strips of columns within groups of rows within images.
INLINE winograd_part winograd_part_at(ptrdiff_t index, ptrdiff_t groups, ptrdiff_t strips, ptrdiff_t w) {
    const ptrdiff_t strip = index % strips, column = w * strip / strips;
    return (winograd_part){index / strips / groups, index / strips % groups * WINOGRAD_ROWS, column,
                           w * (strip + 1) / strips - column};
}

static void winograd3x3(const float *u, const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs,
                        const float *x, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch) {
    const ptrdiff_t padded = whole_groups(outputs), pixels = images * h * w;
    const ptrdiff_t groups = (h + WINOGRAD_ROWS - 1) / WINOGRAD_ROWS, strips = (w + WINOGRAD_COLUMNS - 1) / WINOGRAD_COLUMNS;
    const ptrdiff_t total = images * groups * strips, together = w + 2 < WINOGRAD_COLUMNS ? (WINOGRAD_COLUMNS + 2) / (w + 2) : 1;
    const ptrdiff_t v_point = inputs * WINOGRAD_PITCH, m_point = padded * WINOGRAD_COLUMNS;
    float *v = scratch, *m = scratch + WINOGRAD_POINTS * v_point;
    for (ptrdiff_t first = 0; first < total; first += together) {
        const ptrdiff_t parts = total - first < together ? total - first : together;
        ptrdiff_t columns = 0;
        for (ptrdiff_t s = 0; s < parts; s++) {
            const winograd_part part = winograd_part_at(first + s, groups, strips, w);
            for (ptrdiff_t c = 0; c < inputs; c++)
                winograd_input(x + c * pixels + part.image * h * w, part, h, w, v + c * WINOGRAD_PITCH + columns, v_point);
            columns += part.columns + 2;
        }
        for (int j = 0; j < WINOGRAD_POINTS; j++)
            winograd_product(u + j * padded * inputs * 3, v + j * v_point, outputs, inputs, columns - 2, m + j * m_point);
        columns = 0;
        for (ptrdiff_t s = 0; s < parts; s++) {
            const winograd_part part = winograd_part_at(first + s, groups, strips, w);
            for (ptrdiff_t o = 0; o < outputs; o++)
                winograd_output(m + o * WINOGRAD_COLUMNS + columns, m_point, bias ? bias[o] : 0, slope, part, h, w,
                                y + o * pixels + part.image * h * w);
            columns += part.columns + 2;
        }
    }
}
