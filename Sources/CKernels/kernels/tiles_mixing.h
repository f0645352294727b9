// Products of packed weights with packed pixels, and of gradients with pixels, by matrix tiles.
#pragma once
#include "tiles.h"

/// Steps of pixels whose pieces stay in the first-level cache while all outputs pass.
enum { MIX_STEPS = 8, MIX_COLUMNS = PAIR };

/// Words of weights [outputs/16][steps][pieces] tiles.
static ptrdiff_t tiles_packed_weights(ptrdiff_t outputs, ptrdiff_t inputs) {
    if (!fill_tiles(outputs, inputs)) return vectors->packed_weights(outputs, inputs);
    return (outputs + TILE - 1) / TILE * steps_of(inputs) * STEP_WORDS;
}

/// The pieces of 16 × 32 numbers as left tiles.
INLINE void split_outputs(const float (*values)[STEP], uint32_t *words) {
    for (int r = 0; r < TILE; r++)
        split(load(values[r]), load(values[r] + LANES), words + r * TILE, TILE_WORDS);
}

/// 16 × 32 numbers of the matrix, zeros outside of it. Rows or columns are read as they lie, which is twice as fast.
INLINE void gather_outputs(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, ptrdiff_t rows, ptrdiff_t columns,
                           float (*values)[STEP]) {
    memset(values, 0, TILE * STEP * sizeof(float));
    if (w_column == 1)
        for (ptrdiff_t r = 0; r < rows; r++)
            for (ptrdiff_t k = 0; k < columns; k++) values[r][k] = w[r * w_row + k];
    else
        for (ptrdiff_t k = 0; k < columns; k++)
            for (ptrdiff_t r = 0; r < rows; r++) values[r][k] = w[r * w_row + k * w_column];
}

static void tiles_pack_weights(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, const float *row_scale,
                               const float *column_scale, ptrdiff_t outputs, ptrdiff_t inputs, float *packed) {
    if (!fill_tiles(outputs, inputs)) {
        vectors->pack_weights(w, w_row, w_column, row_scale, column_scale, outputs, inputs, packed);
        return;
    }
    uint32_t *words = (uint32_t *)packed;
    for (ptrdiff_t o = 0; o < outputs; o += TILE)
        for (ptrdiff_t i = 0; i < inputs; i += STEP, words += STEP_WORDS) {
            float values[TILE][STEP];
            const ptrdiff_t rows = smaller(TILE, outputs - o), columns = smaller(STEP, inputs - i);
            gather_outputs(w + o * w_row + i * w_column, w_row, w_column, rows, columns, values);
            for (ptrdiff_t r = 0; row_scale && r < rows; r++)
                for (ptrdiff_t k = 0; k < STEP; k++) values[r][k] *= row_scale[o + r];
            for (ptrdiff_t r = 0; column_scale && r < rows; r++)
                for (ptrdiff_t k = 0; k < columns; k++) values[r][k] *= column_scale[i + k];
            split_outputs(values, words);
        }
}

/// Two right tiles of each piece, from one step of a panel of 32 pixels.
INLINE void split_panel(const float *panel, ptrdiff_t inputs, uint32_t *words) {
    for (ptrdiff_t k = 0; k < TILE; k++)
        for (ptrdiff_t side = 0; side < 2; side++) {
            const float *low = panel + k * PAIR + side * TILE, *high = low + TILE * PAIR;
            split(k < inputs ? load(low) : (vfloat)0, k + TILE < inputs ? load(high) : (vfloat)0,
                  words + side * TILE_WORDS + k * TILE, 2 * TILE_WORDS);
        }
}

/// Fetches where some rows of a corner will be read and stored.
INLINE void fetch_rows(corner c, ptrdiff_t from, ptrdiff_t to) {
    for (ptrdiff_t r = from; r < to; r++)
        for (ptrdiff_t p = 0; p < c.columns; p += TILE) {
            __builtin_prefetch(c.y + r * c.y_stride + p, 1);
            if (c.base && c.base != c.y) __builtin_prefetch(c.base + r * c.base_stride + p);
        }
}

/// The sums over some steps, meanwhile fetching what the next corner needs.
INLINE void multiply_steps(const uint32_t *weights, ptrdiff_t group, const uint32_t *pixels, ptrdiff_t steps,
                           const bool both, corner next) {
    for (ptrdiff_t s = 0; s < steps; s++) {
        const uint32_t *upper = weights + s * STEP_WORDS, *left = pixels + s * 2 * STEP_WORDS;
        const operand right = {left, left + TILE_WORDS, 2 * TILE_WORDS, TILE_ROW};
        fetch_rows(next, next.rows * s / steps, next.rows * (s + 1) / steps);
        multiply_step(whole_tiles(upper, upper + group), right, both);
    }
}

INLINE void mix_corner(corner c, const uint32_t *weights, ptrdiff_t group, const uint32_t *pixels, ptrdiff_t steps,
                       corner next, corner_values scratch) {
    if (c.rows > TILE) {
        start_sums(c, true, scratch);
        multiply_steps(weights, group, pixels, steps, true, next);
        finish_sums(c, true, scratch);
    } else {
        start_sums(c, false, scratch);
        multiply_steps(weights, group, pixels, steps, false, next);
        finish_sums(c, false, scratch);
    }
}

/// A product that is computed corner by corner.
typedef struct {
    const float *bias, *base;
    ptrdiff_t outputs, pixels, base_stride;
    float *y;
    ptrdiff_t y_stride;
} mixture;

/// Empty behind the last output or pixel.
INLINE corner corner_at(const mixture *m, ptrdiff_t o, ptrdiff_t p) {
    if (o >= m->outputs || p >= m->pixels) return (corner){0};
    return (corner){
        .rows = smaller(m->outputs - o, PAIR),
        .columns = smaller(m->pixels - p, PAIR),
        .bias = m->bias ? m->bias + o : NULL,
        .base = m->base ? m->base + o * m->base_stride + p : NULL,
        .base_stride = m->base_stride,
        .y = m->y + o * m->y_stride + p,
        .y_stride = m->y_stride,
    };
}

static void tiles_mix_packed(const float *packed, const float *bias, ptrdiff_t outputs, ptrdiff_t inputs,
                             const float *panels, ptrdiff_t pixels, const float *base, ptrdiff_t base_stride, float *y,
                             ptrdiff_t y_stride) {
    if (!fill_tiles(outputs, inputs)) {
        vectors->mix_packed(packed, bias, outputs, inputs, panels, pixels, base, base_stride, y, y_stride);
        return;
    }
    _Alignas(64) uint32_t pieces[MIX_STEPS * 2 * STEP_WORDS];
    _Alignas(64) corner_values scratch;
    const ptrdiff_t steps = steps_of(inputs), group = steps * STEP_WORDS;
    const ptrdiff_t blocks = (steps + MIX_STEPS - 1) / MIX_STEPS, block = (steps + blocks - 1) / blocks;
    const ptrdiff_t chunk = MIX_STEPS / block * PAIR; // pixels
    mixture m = {bias, base, outputs, pixels, base_stride, y, y_stride};
    use_tiles();
    for (ptrdiff_t step = 0; step < steps; step += block) {
        const ptrdiff_t depth = smaller(block, steps - step);
        for (ptrdiff_t first = 0; first < pixels; first += chunk) {
            const ptrdiff_t last = smaller(first + chunk, pixels);
            for (ptrdiff_t p = first; p < last; p += PAIR)
                for (ptrdiff_t s = 0; s < depth; s++)
                    split_panel(panels + p * inputs + (step + s) * STEP * PAIR, inputs - (step + s) * STEP,
                                pieces + ((p - first) / PAIR * depth + s) * 2 * STEP_WORDS);
            for (ptrdiff_t o = 0; o < outputs; o += PAIR) {
                const uint32_t *weights = (const uint32_t *)packed + o / TILE * group + step * STEP_WORDS;
                for (ptrdiff_t p = first; p < last; p += PAIR) {
                    const bool is_row_end = p + PAIR >= last, is_end = is_row_end && o + PAIR >= outputs;
                    const corner next = corner_at(&m, is_end ? 0 : is_row_end ? o + PAIR : o,
                                                  is_end ? last : is_row_end ? first : p + PAIR);
                    mix_corner(corner_at(&m, o, p), weights, group, pieces + (p - first) / PAIR * depth * 2 * STEP_WORDS,
                               depth, next, scratch);
                }
            }
        }
        // Later blocks add to what earlier ones stored.
        m = (mixture){NULL, y, outputs, pixels, y_stride, y, y_stride};
    }
    _tile_release();
}
