// Dense 3×3 convolution by Winograd's F(4, 3) or F(2, 3) along the columns: four output rows cost six products instead of
// twelve, or two four instead of six (A. Lavin, S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, for
// the matrices).
//
// Only the vertical direction is transformed. Full forms in both directions save more products, but their horizontal
// transform tears vectors apart and their error is many times larger; here, rows stay rows and the three horizontal taps
// are three shifted reads. F(4, 3) makes the error of its products some ten times larger, F(2, 3) twice.
#pragma once
#include "memory.h"

enum {
    WINOGRAD_COLUMNS = 64, // columns of a chunk
    WINOGRAD_PITCH = 80,   // values of a row of a chunk with one column on each side
};

/// Products for 4 or 2 output rows.
#define WINOGRAD_POINTS(rows) ((rows) + 2)

/// The points of a column of three taps.
INLINE void winograd_points(const float *taps, const int rows, float *points) {
    const float a = taps[0], b = taps[3], c = taps[6];
    points[0] = rows == 4 ? a / 4 : a;
    points[1] = rows == 4 ? -(a + b + c) / 6 : (a + b + c) / 2;
    points[2] = rows == 4 ? -(a - b + c) / 6 : (a - b + c) / 2;
    points[3] = rows == 4 ? (a + 2 * b + 4 * c) / 24 : c;
    if (rows == 2) return;
    points[4] = (a - 2 * b + 4 * c) / 24;
    points[5] = c;
}

/// Consecutive columns of 4 or 2 rows of an image.
typedef struct {
    ptrdiff_t image, row, column, columns;
} winograd_part;

/// The transformed rows of one channel of a part. Its columns may begin one to the left of the image and end one to the
/// right of it, where all is zero.
INLINE void winograd_input(const float *plane, winograd_part part, const int rows, ptrdiff_t h, ptrdiff_t w, float *v,
                           ptrdiff_t point) {
    const ptrdiff_t left = part.column < 0, right = part.column + part.columns > w;
    const float *lines[6];
    for (ptrdiff_t k = 0; k < WINOGRAD_POINTS(rows); k++) {
        const ptrdiff_t row = part.row + k - 1;
        lines[k] = row < 0 || row >= h ? NULL : plane + row * w + part.column + left;
        if (left) v[k * point] = 0;
        if (right) v[k * point + part.columns - 1] = 0;
    }
    EACH_VECTOR(i, part.columns - left - right, {
        vfloat d[6];
        for (int k = 0; k < WINOGRAD_POINTS(rows); k++) {
            d[k] = lines[k] ? get(lines[k] + i, count) : (vfloat)0;
            // The next part lies to the right.
            if (lines[k]) __builtin_prefetch(lines[k] + part.columns + i, 0, 2);
        }
        float *target = v + left + i;
        if (rows == 2) {
            put(target, d[0] - d[2], count);
            put(target + point, d[1] + d[2], count);
            put(target + 2 * point, d[2] - d[1], count);
            put(target + 3 * point, d[3] - d[1], count);
        } else {
            const vfloat even = d[4] - 4 * d[2], odd = d[3] - 4 * d[1], two = d[4] - d[2], twice = 2 * (d[3] - d[1]);
            put(target, 4 * d[0] - 5 * d[2] + d[4], count);
            put(target + point, even + odd, count);
            put(target + 2 * point, even - odd, count);
            put(target + 3 * point, two + twice, count);
            put(target + 4 * point, two - twice, count);
            put(target + 5 * point, 4 * d[1] - 5 * d[3] + d[5], count);
        }
    });
}

/// v where it is positive, else slope·v; the slope 1 changes nothing.
INLINE vfloat leaky(vfloat v, float slope) { return v > 0.0f ? v : slope * v; }

/// The output rows of one channel of a part, which lies inside of the image, from its products.
INLINE void winograd_output(const float *m, ptrdiff_t point, float bias, float slope, winograd_part part, const int rows,
                            ptrdiff_t h, ptrdiff_t w, float *plane) {
    const ptrdiff_t inside = h - part.row;
    float *y = plane + part.row * w + part.column;
    EACH_VECTOR(i, part.columns, {
        vfloat p[6];
        for (int j = 0; j < WINOGRAD_POINTS(rows); j++) p[j] = get(m + j * point + i, count);
        const vfloat sum = p[1] + p[2], difference = p[1] - p[2];
        if (rows == 2) {
            put(y + i, leaky(p[0] + sum + bias, slope), count);
            if (inside > 1) put(y + w + i, leaky(difference + p[3] + bias, slope), count);
        } else {
            const vfloat far_sum = p[3] + p[4], far_difference = p[3] - p[4];
            put(y + i, leaky(p[0] + sum + far_sum + bias, slope), count);
            if (inside > 1) put(y + w + i, leaky(difference + 2 * far_difference + bias, slope), count);
            if (inside > 2) put(y + 2 * w + i, leaky(sum + 4 * far_sum + bias, slope), count);
            if (inside > 3) put(y + 3 * w + i, leaky(difference + 8 * far_difference + p[5] + bias, slope), count);
        }
    });
}

/// Fetches what `winograd_output` will store to, so that its stores need not wait.
INLINE void winograd_fetch(winograd_part part, const int rows, ptrdiff_t h, ptrdiff_t w, const float *plane) {
    for (ptrdiff_t row = part.row; row < part.row + rows && row < h; row++)
        for (ptrdiff_t i = 0; i < part.columns; i += 16) __builtin_prefetch(plane + row * w + part.column + i, 1, 2);
}

/// Calls the statements for the parts of the positions from `first` to before `end`, each with its distance `at` from
/// `first`. Positions count the columns of all images, group of rows by group of rows, with one more on each side: chunks
/// of them fill vectors and tiles however wide the image is.
#define EACH_PART(part, at, first, end, rows, h, w, ...)                                                               \
    for (ptrdiff_t position = (first), next; position < (end); position = next) {                                      \
        const ptrdiff_t group = position / ((w) + 2), groups = ((h) + (rows) - 1) / (rows), at = position - (first);   \
        next = smaller((group + 1) * ((w) + 2), end);                                                                  \
        const winograd_part part = {group / groups, group % groups * (rows), position - group * ((w) + 2) - 1,         \
                                    next - position};                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/// The columns of a part that lie inside of the image.
INLINE winograd_part winograd_inside(winograd_part part, ptrdiff_t w) {
    const ptrdiff_t left = part.column < 0, right = part.column + part.columns > w;
    return (winograd_part){part.image, part.row, part.column + left, part.columns - left - right};
}

/// The products of a chunk: for each point j, m[j][outputs][WINOGRAD_COLUMNS] from v[j][inputs][WINOGRAD_PITCH], whose
/// column p lies at p + 1. Distances between two points are given.
typedef void winograd_products(const float *u, const float *v, ptrdiff_t v_point, ptrdiff_t outputs, ptrdiff_t inputs,
                               ptrdiff_t columns, float *m, ptrdiff_t m_point, float *scratch);

/// The convolution with these products, for `padded` ≥ outputs of them; `scratch` holds v, m and what they work in.
INLINE void winograd_chunks(winograd_products *const products, const int rows, ptrdiff_t padded, const float *u,
                            const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs, const float *x,
                            ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch) {
    const ptrdiff_t pixels = images * h * w, v_point = inputs * WINOGRAD_PITCH, m_point = padded * WINOGRAD_COLUMNS;
    // Neither the first nor the last position is a pixel. Where rows are whole chunks, none reaches into the next row.
    const ptrdiff_t last = images * ((h + rows - 1) / rows) * (w + 2) - 1, gap = w % WINOGRAD_COLUMNS == 0 ? 2 : 0;
    float *v = scratch, *m = v + WINOGRAD_POINTS(rows) * v_point, *rest = m + WINOGRAD_POINTS(rows) * m_point;
    for (ptrdiff_t first = 1; first < last; first += WINOGRAD_COLUMNS) {
        if (gap && first % (w + 2) == w + 1) first += gap;
        const ptrdiff_t end = smaller(last, first + WINOGRAD_COLUMNS);
        EACH_PART(part, at, first - 1, end + 1, rows, h, w, {
            for (ptrdiff_t c = 0; c < inputs; c++)
                winograd_input(x + c * pixels + part.image * h * w, part, rows, h, w, v + c * WINOGRAD_PITCH + at, v_point);
        })
        EACH_PART(part, at, first, end, rows, h, w, {
            (void)at;
            for (ptrdiff_t o = 0; o < outputs; o++)
                winograd_fetch(winograd_inside(part, w), rows, h, w, y + o * pixels + part.image * h * w);
        })
        products(u, v, v_point, outputs, inputs, end - first, m, m_point, rest);
        EACH_PART(part, at, first, end, rows, h, w, {
            const winograd_part inside = winograd_inside(part, w);
            for (ptrdiff_t o = 0; o < outputs; o++)
                winograd_output(m + o * WINOGRAD_COLUMNS + at + (inside.column - part.column), m_point,
                                bias ? bias[o] : 0, slope, inside, rows, h, w, y + o * pixels + part.image * h * w);
        })
    }
}
