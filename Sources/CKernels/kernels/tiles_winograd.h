// Winograd's products for two output rows by matrix tiles. For four rows they would be a third fewer, but five times less
// exact: too coarse for products of 17 bits.
#pragma once
#include "tiles.h"
#include "winograd_transform.h"

enum {
    WINOGRAD_ROWS = 2,
    POINTS = WINOGRAD_POINTS(WINOGRAD_ROWS),
    LINE_WORDS = TILE * WINOGRAD_PITCH, // of a piece of a step of a chunk
};

INLINE ptrdiff_t whole_pairs(ptrdiff_t outputs) { return (outputs + PAIR - 1) / PAIR * PAIR; }

/// With a third of the products empty, tiles are still as fast as vectors.
INLINE bool fill_lines(ptrdiff_t outputs, ptrdiff_t inputs) {
    return 3 * outputs * inputs >= 2 * whole_pairs(outputs) * steps_of(inputs) * STEP;
}

static dn_convolution_sizes tiles_winograd_sizes(ptrdiff_t outputs, ptrdiff_t inputs) {
    if (!fill_lines(outputs, inputs)) return vectors->convolution_sizes(outputs, inputs);
    return (dn_convolution_sizes){
        .weights = POINTS * whole_pairs(outputs) / TILE * steps_of(inputs) * 3 * STEP_WORDS,
        .scratch = POINTS * (inputs * WINOGRAD_PITCH + whole_pairs(outputs) * WINOGRAD_COLUMNS) +
                   steps_of(inputs) * PIECES * LINE_WORDS + TILE,
    };
}

/// Left tiles [points][outputs/16][steps][taps][pieces].
static void tiles_winograd_weights(const float *w, ptrdiff_t outputs, ptrdiff_t inputs, float *u) {
    if (!fill_lines(outputs, inputs)) {
        vectors->convolution_weights(w, outputs, inputs, u);
        return;
    }
    const ptrdiff_t point = whole_pairs(outputs) / TILE * steps_of(inputs) * 3 * STEP_WORDS;
    uint32_t *words = (uint32_t *)u;
    for (ptrdiff_t o = 0; o < whole_pairs(outputs); o += TILE)
        for (ptrdiff_t i = 0; i < inputs; i += STEP)
            for (ptrdiff_t tap = 0; tap < 3; tap++, words += STEP_WORDS)
                for (ptrdiff_t r = 0; r < TILE; r++) {
                    float points[STEP][POINTS] = {0}, row[STEP];
                    for (ptrdiff_t k = 0; k < STEP && o + r < outputs && i + k < inputs; k++)
                        winograd_points(w + ((o + r) * inputs + i + k) * 9 + tap, WINOGRAD_ROWS, points[k]);
                    for (ptrdiff_t j = 0; j < POINTS; j++) {
                        for (ptrdiff_t k = 0; k < STEP; k++) row[k] = points[k][j];
                        split(load(row), load(row + LANES), words + j * point + r * TILE, TILE_WORDS);
                    }
                }
}

/// The pieces of one point's rows.
INLINE void split_lines(const float *v, ptrdiff_t inputs, uint32_t *words) {
    for (ptrdiff_t i = 0; i < inputs; i += STEP, words += PIECES * LINE_WORDS)
        for (ptrdiff_t k = 0; k < TILE; k++)
            for (ptrdiff_t p = 0; p < WINOGRAD_PITCH; p += LANES) {
                const float *low = v + (i + k) * WINOGRAD_PITCH + p, *high = low + TILE * WINOGRAD_PITCH;
                split(i + k < inputs ? load(low) : (vfloat)0, i + k + TILE < inputs ? load(high) : (vfloat)0,
                      words + k * WINOGRAD_PITCH + p, LINE_WORDS);
            }
}

INLINE void multiply_taps(const uint32_t *weights, ptrdiff_t group, const uint32_t *lines, ptrdiff_t steps) {
    for (ptrdiff_t s = 0; s < steps; s++, lines += PIECES * LINE_WORDS)
        for (ptrdiff_t tap = 0; tap < 3; tap++, weights += STEP_WORDS)
            multiply_step(whole_tiles(weights, weights + group),
                          (operand){lines + tap, lines + tap + TILE, LINE_WORDS, 4 * WINOGRAD_PITCH}, true);
}

static void tiles_winograd_products(const float *u, const float *v, ptrdiff_t v_point, ptrdiff_t outputs,
                                    ptrdiff_t inputs, ptrdiff_t columns, float *m, ptrdiff_t m_point, float *scratch) {
    const ptrdiff_t steps = steps_of(inputs), group = steps * 3 * STEP_WORDS;
    uint32_t *lines = (uint32_t *)scratch;
    for (ptrdiff_t j = 0; j < POINTS; j++) {
        split_lines(v + j * v_point, inputs, lines);
        for (ptrdiff_t o = 0; o < outputs; o += PAIR)
            for (ptrdiff_t p = 0; p < columns; p += PAIR) {
                float *to = m + j * m_point + o * WINOGRAD_COLUMNS + p;
                const corner c = {PAIR, PAIR, NULL, NULL, 0, to, WINOGRAD_COLUMNS};
                start_sums(c, true, NULL);
                multiply_taps((const uint32_t *)u + (j * whole_pairs(outputs) + o) / TILE * group, group, lines + p, steps);
                finish_sums(c, true, NULL);
            }
    }
}

static void tiles_winograd3x3(const float *u, const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs,
                              const float *x, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch) {
    if (!fill_lines(outputs, inputs)) {
        vectors->convolution3x3(u, bias, slope, outputs, inputs, x, images, h, w, y, scratch);
        return;
    }
    use_tiles();
    winograd_chunks(tiles_winograd_products, WINOGRAD_ROWS, whole_pairs(outputs), u, bias, slope, outputs, inputs, x,
                    images, h, w, y, scratch);
    _tile_release();
}
