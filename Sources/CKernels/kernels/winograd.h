// Dense 3×3 convolution by Winograd's F(4×4, 3×3): sixteen outputs cost 36 products instead of 144. Rounding errs
// less than twice as much as in plain sums of products.
//
// A chunk's inputs are transformed along columns and then along rows, channel by channel, and its outputs back; between
// them lie 36 products of matrices, [outputs, inputs] · [inputs, FOURS].
#pragma once
#include "mixing.h"
#include "winograd_parts.h"

enum { FOURS = CHUNK / FOUR, PRODUCTS = POINTS * POINTS };

static dn_convolution_sizes winograd_sizes(ptrdiff_t outputs, ptrdiff_t inputs) {
    const ptrdiff_t padded = whole_groups(outputs);
    return (dn_convolution_sizes){
        .weights = PRODUCTS * padded * inputs,
        .scratch = PRODUCTS * (inputs + padded) * FOURS + POINTS * CHUNK_PITCH,
    };
}

/// [points of columns][points of rows][outputs/MIX_ROWS][inputs][MIX_ROWS].
static void winograd_weights(const float *w, ptrdiff_t outputs, ptrdiff_t inputs, float *u) {
    const ptrdiff_t size = whole_groups(outputs) * inputs;
    for (ptrdiff_t o = 0; o < whole_groups(outputs); o++) {
        const ptrdiff_t first = o / MIX_ROWS * MIX_ROWS, group = smaller(MIX_ROWS, whole_groups(outputs) - first);
        for (ptrdiff_t i = 0; i < inputs; i++) {
            float *to = u + first * inputs + i * group + o - first, columns[3][POINTS] = {0}, points[POINTS];
            for (int tap = 0; tap < 3 && o < outputs; tap++)
                winograd_taps(w + (o * inputs + i) * 9 + tap, 3, columns[tap]);
            for (int j = 0; j < POINTS; j++) {
                winograd_taps(columns[0] + j, POINTS, points);
                for (int k = 0; k < POINTS; k++, to += size) *to = points[k];
            }
        }
    }
}

/// A group of outputs × MIX_COLUMNS fours: the sum over inputs.
INLINE void winograd_tile(const float *u, const float *v, ptrdiff_t inputs, const int group, float *m) {
    vfloat sums[MIX_ROWS][2];
#pragma clang loop unroll(full)
    for (int r = 0; r < group; r++) sums[r][0] = sums[r][1] = 0;
    for (ptrdiff_t c = 0; c < inputs; c++, v += FOURS, u += group) {
        const vfloat left = load(v), right = load(v + LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < group; r++) {
            const vfloat weight = u[r];
            sums[r][0] += weight * left;
            sums[r][1] += weight * right;
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < group; r++) {
        store(m + r * FOURS, sums[r][0]);
        store(m + r * FOURS + LANES, sums[r][1]);
    }
}

INLINE void winograd_product(const float *u, const float *v, ptrdiff_t outputs, ptrdiff_t inputs, float *m) {
    for (ptrdiff_t o = 0; o < outputs; o += MIX_ROWS)
        for (ptrdiff_t p = 0; p < FOURS; p += MIX_COLUMNS) {
            const float *weights = u + o * inputs;
            float *to = m + o * FOURS + p;
            if (outputs - o > MIX_ROWS - MIX_STEP)
                winograd_tile(weights, v + p, inputs, MIX_ROWS, to);
            else if (outputs - o > MIX_STEP)
                winograd_tile(weights, v + p, inputs, MIX_ROWS - MIX_STEP, to);
            else
                winograd_tile(weights, v + p, inputs, MIX_STEP, to);
        }
}

static void winograd3x3(const float *u, const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs,
                        const float *x, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch) {
    const ptrdiff_t pixels = images * h * w, padded = whole_groups(outputs);
    const ptrdiff_t v_point = inputs * FOURS, m_point = padded * FOURS;
    float *v = scratch, *m = v + PRODUCTS * v_point, *lines = m + PRODUCTS * m_point;
    // Neither the first nor the last position is a pixel. Where rows are whole chunks, none reaches into the next row.
    const ptrdiff_t last = images * ((h + FOUR - 1) / FOUR) * (w + 2) - 1, gap = w % CHUNK == 0 ? 2 : 0;
    winograd_chunk from, to, next;
    for (ptrdiff_t first = 1, after; first < last; first = after) {
        const ptrdiff_t end = smaller(last, first + CHUNK);
        after = end + (end % (w + 2) == w + 1 ? gap : 0);
        find_parts(first - 1, end + 1, h, w, &from);
        find_parts(first, end, h, w, &to);
        find_parts(after - 1, smaller(last, after + CHUNK) + 1, h, w, &next);
        // Where a chunk is short, nothing but zeros may share sums with it.
        if (end - first < CHUNK) memset(lines, 0, sizeof(float[POINTS * CHUNK_PITCH]));
        for (ptrdiff_t i = 0; i < inputs; i++) {
            for (ptrdiff_t k = 0; k < from.count; k++)
                column_input(x + i * pixels + from.parts[k].image * h * w, from.parts[k], h, w, lines);
            for (int j = 0; j < POINTS; j++)
                row_input(lines + j * CHUNK_PITCH, CHUNK, v + j * POINTS * v_point + i * FOURS, v_point);
        }
        for (ptrdiff_t j = 0; j < PRODUCTS; j++) {
            winograd_product(u + j * padded * inputs, v + j * v_point, outputs, inputs, m + j * m_point);
            // What the next chunk reads and this one writes comes while the products are computed.
            for (ptrdiff_t i = j * inputs / PRODUCTS; i < (j + 1) * inputs / PRODUCTS && after < last; i++)
                for (ptrdiff_t k = 0; k < next.count; k++) {
                    const winograd_part part = inside(next.parts[k], w);
                    fetch_rows(x + i * pixels + part.image * h * w, part, part.row - 1, part.row + FOUR + 1, h, w, 0);
                }
            for (ptrdiff_t o = j * outputs / PRODUCTS; o < (j + 1) * outputs / PRODUCTS; o++)
                for (ptrdiff_t k = 0; k < to.count; k++) {
                    const winograd_part part = inside(to.parts[k], w);
                    fetch_rows(y + o * pixels + part.image * h * w, part, part.row, part.row + FOUR, h, w, 1);
                }
        }
        for (ptrdiff_t o = 0; o < outputs; o++) {
            for (int j = 0; j < POINTS; j++)
                row_output(m + j * POINTS * m_point + o * FOURS, m_point, CHUNK, lines + j * CHUNK);
            for (ptrdiff_t k = 0; k < to.count; k++)
                column_output(lines, bias ? bias[o] : 0, slope, inside(to.parts[k], w), h, w,
                              y + o * pixels + to.parts[k].image * h * w);
        }
    }
}
