// The weight gradient of a 1×1 convolution by matrix tiles: every output's gradient times every input, summed over the
// pixels, two words of which lie 16 pixels apart.
#pragma once
#include "tiles.h"

enum {
    DOT_STEPS = 4,    // of a block whose pieces stay in the second-level cache
    DOT_INPUTS = 128, // of the same
    DOT_LEAST = 64,   // outputs and inputs; to pieces of fewer, more time goes than to products
};

/// Left tiles of `rows` ≤ 16 rows and `count` ≤ 32 pixels.
INLINE void split_rows(const float *g, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, uint32_t *words) {
    for (ptrdiff_t r = 0; r < TILE; r++) {
        const float *from = g + r * stride;
        const vfloat low = r < rows ? get(from, smaller(count, LANES)) : (vfloat)0;
        const vfloat high = r < rows && count > LANES ? get(from + LANES, count - LANES) : (vfloat)0;
        split(low, high, words + r * TILE, TILE_WORDS);
    }
}

/// Right tiles of the same.
INLINE void split_columns(const float *x, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count, uint32_t *words) {
    vfloat low[TILE], high[TILE];
    for (ptrdiff_t r = 0; r < TILE; r++) {
        const float *from = x + r * stride;
        low[r] = r < rows ? get(from, smaller(count, LANES)) : (vfloat)0;
        high[r] = r < rows && count > LANES ? get(from + LANES, count - LANES) : (vfloat)0;
    }
    transpose(low);
    transpose(high);
    for (int r = 0; r < TILE; r++) split(low[r], high[r], words + r * TILE, TILE_WORDS);
}

INLINE void dot_corner(corner c, const uint32_t *outputs, const uint32_t *inputs, ptrdiff_t steps,
                       corner_values scratch) {
    const ptrdiff_t group = DOT_STEPS * STEP_WORDS;
    const bool both = c.rows > TILE;
    if (both)
        start_sums(c, true, scratch);
    else
        start_sums(c, false, scratch);
    for (ptrdiff_t s = 0; s < steps; s++) {
        const uint32_t *upper = outputs + s * STEP_WORDS, *left = inputs + s * STEP_WORDS;
        if (both)
            multiply_step(whole_tiles(upper, upper + group), whole_tiles(left, left + group), true);
        else
            multiply_step(whole_tiles(upper, upper), whole_tiles(left, left + group), false);
    }
    if (both)
        finish_sums(c, true, scratch);
    else
        finish_sums(c, false, scratch);
}

static void tiles_mix_channels_weights(const float *g, ptrdiff_t g_stride, ptrdiff_t outputs, const float *x,
                                       ptrdiff_t x_stride, ptrdiff_t inputs, ptrdiff_t pixels, float *dw,
                                       ptrdiff_t dw_row) {
    if (smaller(outputs, inputs) < DOT_LEAST || pixels < STEP) {
        vectors->mix_channels_weights(g, g_stride, outputs, x, x_stride, inputs, pixels, dw, dw_row);
        return;
    }
    _Alignas(64) uint32_t right[DOT_INPUTS / TILE * DOT_STEPS * STEP_WORDS];
    _Alignas(64) uint32_t left[2 * DOT_STEPS * STEP_WORDS];
    _Alignas(64) corner_values scratch;
    use_tiles();
    for (ptrdiff_t first = 0; first < pixels; first += DOT_STEPS * STEP)
        for (ptrdiff_t block = 0; block < inputs; block += DOT_INPUTS) {
            const ptrdiff_t count = smaller(pixels - first, DOT_STEPS * STEP), steps = steps_of(count);
            const ptrdiff_t width = smaller(inputs - block, DOT_INPUTS);
            for (ptrdiff_t i = 0; i < width; i += TILE)
                for (ptrdiff_t s = 0; s < steps; s++)
                    split_columns(x + (block + i) * x_stride + first + s * STEP, x_stride, width - i,
                                  smaller(count - s * STEP, STEP), right + (i / TILE * DOT_STEPS + s) * STEP_WORDS);
            for (ptrdiff_t o = 0; o < outputs; o += PAIR) {
                for (ptrdiff_t r = 0; r < smaller(outputs - o, PAIR); r += TILE)
                    for (ptrdiff_t s = 0; s < steps; s++)
                        split_rows(g + (o + r) * g_stride + first + s * STEP, g_stride, outputs - o - r,
                                   smaller(count - s * STEP, STEP), left + (r / TILE * DOT_STEPS + s) * STEP_WORDS);
                for (ptrdiff_t i = 0; i < width; i += PAIR) {
                    float *to = dw + o * dw_row + block + i;
                    const corner c = {smaller(outputs - o, PAIR), smaller(width - i, PAIR), NULL, to, dw_row, to, dw_row};
                    dot_corner(c, left, right + i / TILE * DOT_STEPS * STEP_WORDS, steps, scratch);
                }
            }
        }
    _tile_release();
}
