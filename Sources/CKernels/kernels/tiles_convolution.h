// The weight gradient of a dense 3×3 convolution by matrix tiles. Inputs lie in rows of 16 channels for each position, so
// that the nine taps are nine starts of the same memory.
#pragma once
#include "region.h"
#include "tiles.h"

enum { GRADIENT_STEPS = 8 }; // of a block whose pieces stay in the first-level cache

INLINE ptrdiff_t tiles_of(ptrdiff_t channels) { return (channels + TILE - 1) / TILE; }

/// Words of the pieces of 16 channels.
INLINE ptrdiff_t group_words(ptrdiff_t capacity) { return PIECES * TILE * capacity; }

static ptrdiff_t tiles_gradient_scratch(ptrdiff_t outputs, ptrdiff_t inputs) {
    if (!fill_tiles(outputs, inputs)) return vectors->convolution_gradient_scratch(outputs, inputs);
    const ptrdiff_t groups = tiles_of(outputs) + tiles_of(inputs) + 1, capacity = region_capacity(groups * TILE);
    return groups * group_words(capacity) + TILE * capacity + 9 * (tiles_of(outputs) + 1) * tiles_of(inputs) * TILE_WORDS;
}

/// Left tiles [steps][pieces] of 16 outputs; words hold positions 16 apart.
INLINE void split_outer(const float *values, ptrdiff_t capacity, ptrdiff_t steps, uint32_t *words) {
    for (ptrdiff_t s = 0; s < steps; s++, values += STEP, words += STEP_WORDS)
        for (ptrdiff_t k = 0; k < TILE; k++)
            split(load(values + k * capacity), load(values + k * capacity + LANES), words + k * TILE, TILE_WORDS);
}

/// Right tiles [pieces][positions] of 16 inputs; words hold positions 16 apart.
INLINE void split_inner(const float *values, ptrdiff_t capacity, ptrdiff_t positions, uint32_t *words) {
    vfloat low[TILE], high[TILE];
    for (int k = 0; k < TILE; k++) low[k] = load(values + k * capacity);
    transpose(low);
    for (ptrdiff_t p = 0; p < positions; p += TILE, words += TILE_WORDS) {
        for (int k = 0; k < TILE; k++) high[k] = load(values + k * capacity + p + TILE);
        transpose(high);
        for (int k = 0; k < TILE; k++) {
            split(low[k], high[k], words + k * TILE, TILE * capacity);
            low[k] = high[k];
        }
    }
}

/// Where the right tiles of a column of the gradient begin: column `index` is tap index % 9 of inputs index / 9.
INLINE const uint32_t *column_words(const uint32_t *inner, ptrdiff_t index, ptrdiff_t pitch, ptrdiff_t capacity) {
    return inner + index / 9 * group_words(capacity) + (index % 9 / 3 * pitch + index % 3) * TILE;
}

static void tiles_convolution_gradient(const float *g, ptrdiff_t outputs, const float *x, ptrdiff_t inputs,
                                       ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *dw, float *scratch) {
    if (!fill_tiles(outputs, inputs)) {
        vectors->convolution3x3_gradient(g, outputs, x, inputs, images, h, w, dw, scratch);
        return;
    }
    const ptrdiff_t rows = tiles_of(outputs), columns = 9 * tiles_of(inputs), pixels = images * h * w;
    const ptrdiff_t capacity = region_capacity((rows + tiles_of(inputs) + 1) * TILE), group = group_words(capacity);
    const region_counts counts = count_regions(h, w, capacity);
    float *values = scratch, *sums = values + TILE * capacity;
    uint32_t *outer = (uint32_t *)(sums + (rows + 1) * columns * TILE_WORDS), *inner = outer + (rows + 1) * group;
    memset(sums, 0, (rows + 1) * columns * TILE_WORDS * sizeof(float));
    memset(outer + rows * group, 0, group * sizeof(uint32_t));
    use_tiles();
    for (ptrdiff_t index = 0; index < images * counts.groups * counts.strips; index++) {
        const region r = region_at(index, counts, h, w);
        const ptrdiff_t steps = steps_of(region_length(r)), length = steps * STEP;
        const ptrdiff_t reach = (length + 2 * r.pitch + 2 + TILE - 1) / TILE * TILE;
        for (ptrdiff_t o = 0; o < rows * TILE; o++) {
            float *to = values + o % TILE * capacity;
            if (o < outputs)
                lay_pixels(g + o * pixels, r, h, w, length, to);
            else
                memset(to, 0, length * sizeof(float));
            if (o % TILE == TILE - 1) split_outer(values, capacity, steps, outer + o / TILE * group);
        }
        for (ptrdiff_t i = 0; i < columns / 9 * TILE; i++) {
            float *to = values + i % TILE * capacity;
            if (i < inputs)
                lay_neighbours(x + i * pixels, r, h, w, reach + TILE, to);
            else
                memset(to, 0, (reach + TILE) * sizeof(float));
            if (i % TILE == TILE - 1) split_inner(values, capacity, reach, inner + i / TILE * group);
        }
        for (ptrdiff_t first = 0; first < steps; first += GRADIENT_STEPS)
            for (ptrdiff_t o = 0; o < rows; o += 2)
                for (ptrdiff_t c = 0; c < columns; c += 2) {
                    const ptrdiff_t other = smaller(c + 1, columns - 1);
                    const uint32_t *upper = outer + o * group + first * STEP_WORDS;
                    const uint32_t *left = column_words(inner, c, r.pitch, capacity) + first * STEP * TILE;
                    const uint32_t *right = column_words(inner, other, r.pitch, capacity) + first * STEP * TILE;
                    float *to = sums + (o * columns + c) * TILE_WORDS, *below = to + columns * TILE_WORDS;
                    _tile_loadd(0, to, TILE_ROW);
                    _tile_loadd(1, to + TILE_WORDS, TILE_ROW);
                    _tile_loadd(2, below, TILE_ROW);
                    _tile_loadd(3, below + TILE_WORDS, TILE_ROW);
                    for (ptrdiff_t s = 0; s < smaller(GRADIENT_STEPS, steps - first); s++)
                        multiply_step(whole_tiles(upper + s * STEP_WORDS, upper + s * STEP_WORDS + group),
                                      (operand){left + s * STEP * TILE, right + s * STEP * TILE, TILE * capacity, TILE_ROW},
                                      true);
                    _tile_stored(0, to, TILE_ROW);
                    if (other > c) _tile_stored(1, to + TILE_WORDS, TILE_ROW);
                    _tile_stored(2, below, TILE_ROW);
                    if (other > c) _tile_stored(3, below + TILE_WORDS, TILE_ROW);
                }
    }
    _tile_release();
    for (ptrdiff_t o = 0; o < outputs; o++)
        for (ptrdiff_t i = 0; i < inputs; i++)
            for (ptrdiff_t tap = 0; tap < 9; tap++)
                dw[(o * inputs + i) * 9 + tap] +=
                    sums[((o / TILE * columns + i / TILE * 9 + tap) * TILE + o % TILE) * TILE + i % TILE];
}
