// The weight gradient of a dense 3×3 convolution by matrix tiles. Inputs lie in rows of 16 channels for each position,
// so that the nine taps are nine starts of the same memory.
#pragma once
#include "region.h"
#include "tiles.h"

enum { GRADIENT_STEPS = 8 }; // of a block whose pieces stay in the first-level cache

/// What a gradient is computed in. `outer` and `sums` have a row of tiles more than there are outputs, since rows go in
/// pairs; it stays zero.
typedef struct {
    ptrdiff_t rows, columns; // tiles of the gradient; column c is tap c % 9 of inputs c / 9
    ptrdiff_t capacity;      // positions
    ptrdiff_t group;         // words of the pieces of 16 channels
    float *values;           // [16][capacity]
    float *sums;             // [rows + 1][columns] tiles
    uint32_t *outer;         // [rows + 1][steps][pieces] left tiles of the outputs' gradients
    uint32_t *inner;         // [inputs/16][pieces][capacity] rows of right tiles
} gradient;

INLINE gradient measure_gradient(ptrdiff_t outputs, ptrdiff_t inputs) {
    const ptrdiff_t rows = (outputs + TILE - 1) / TILE, groups = (inputs + TILE - 1) / TILE;
    const ptrdiff_t capacity = region_capacity((rows + 1 + groups) * TILE);
    return (gradient){.rows = rows, .columns = 9 * groups, .capacity = capacity, .group = PIECES * TILE * capacity};
}

INLINE void place_gradient(gradient *d, float *scratch) {
    d->values = scratch;
    d->sums = d->values + TILE * d->capacity;
    d->outer = (uint32_t *)(d->sums + (d->rows + 1) * d->columns * TILE_WORDS);
    d->inner = d->outer + (d->rows + 1) * d->group;
}

static ptrdiff_t tiles_gradient_scratch(ptrdiff_t outputs, ptrdiff_t inputs) {
    if (!fill_tiles(outputs, inputs)) return vectors->convolution_gradient_scratch(outputs, inputs);
    const gradient d = measure_gradient(outputs, inputs);
    return TILE * d.capacity + (d.rows + 1) * d.columns * TILE_WORDS + (d.rows + 1 + d.columns / 9) * d.group;
}

/// The left tiles of 16 outputs; words hold positions 16 apart.
INLINE void split_outer(const gradient *d, ptrdiff_t row, ptrdiff_t steps) {
    for (ptrdiff_t s = 0; s < steps; s++)
        for (ptrdiff_t k = 0; k < TILE; k++) {
            const float *from = d->values + k * d->capacity + s * STEP;
            split(load(from), load(from + LANES), d->outer + row * d->group + s * STEP_WORDS + k * TILE, TILE_WORDS);
        }
}

/// The rows of right tiles of 16 inputs; words hold positions 16 apart.
INLINE void split_inner(const gradient *d, ptrdiff_t inputs, ptrdiff_t positions) {
    uint32_t *words = d->inner + inputs * d->group;
    vfloat low[TILE], high[TILE];
    for (int k = 0; k < TILE; k++) low[k] = load(d->values + k * d->capacity);
    transpose(low);
    for (ptrdiff_t p = 0; p < positions; p += TILE, words += TILE_WORDS) {
        for (int k = 0; k < TILE; k++) high[k] = load(d->values + k * d->capacity + p + TILE);
        transpose(high);
        for (int k = 0; k < TILE; k++) {
            split(low[k], high[k], words + k * TILE, TILE * d->capacity);
            low[k] = high[k];
        }
    }
}

/// Zeros for the channels of a tile that are not there.
INLINE void clear_absent(const gradient *d, ptrdiff_t channels) {
    if (channels < TILE) memset(d->values + channels * d->capacity, 0, (TILE - channels) * d->capacity * sizeof(float));
}

/// Lays a region out in tiles; channels that are not there are zero.
INLINE void split_region(const gradient *d, const float *g, ptrdiff_t outputs, const float *x, ptrdiff_t inputs,
                         ptrdiff_t pixels, region r, ptrdiff_t h, ptrdiff_t w) {
    const ptrdiff_t length = steps_of(region_length(r)) * STEP;
    const ptrdiff_t reach = (length + 2 * r.pitch + 2 + TILE - 1) / TILE * TILE;
    for (ptrdiff_t row = 0; row < d->rows; row++) {
        const ptrdiff_t first = row * TILE;
        clear_absent(d, outputs - first);
        for (ptrdiff_t k = 0; k < smaller(TILE, outputs - first); k++)
            lay_pixels(g + (first + k) * pixels, r, h, w, length, d->values + k * d->capacity);
        split_outer(d, row, length / STEP);
    }
    for (ptrdiff_t group = 0; group < d->columns / 9; group++) {
        const ptrdiff_t first = group * TILE;
        clear_absent(d, inputs - first);
        for (ptrdiff_t k = 0; k < smaller(TILE, inputs - first); k++)
            lay_neighbours(x + (first + k) * pixels, r, h, w, reach + TILE, d->values + k * d->capacity);
        split_inner(d, group, reach);
    }
}

/// Where the right tiles of a column begin.
INLINE const uint32_t *column_words(const gradient *d, ptrdiff_t column, ptrdiff_t pitch) {
    return d->inner + column / 9 * d->group + (column % 9 / 3 * pitch + column % 3) * TILE;
}

/// Adds some steps to the tiles of two rows and two columns; the last column may stand alone.
INLINE void gradient_corner(const gradient *d, ptrdiff_t row, ptrdiff_t column, ptrdiff_t pitch, ptrdiff_t first,
                            ptrdiff_t steps) {
    const bool is_last = column + 1 == d->columns;
    const uint32_t *upper = d->outer + row * d->group, *left = column_words(d, column, pitch);
    const uint32_t *right = is_last ? left : column_words(d, column + 1, pitch);
    float *to = d->sums + (row * d->columns + column) * TILE_WORDS, *below = to + d->columns * TILE_WORDS;
    _tile_loadd(0, to, TILE_ROW);
    _tile_loadd(2, below, TILE_ROW);
    if (!is_last) {
        _tile_loadd(1, to + TILE_WORDS, TILE_ROW);
        _tile_loadd(3, below + TILE_WORDS, TILE_ROW);
    }
    for (ptrdiff_t s = first; s < first + steps; s++) {
        const ptrdiff_t from = s * STEP * TILE;
        multiply_step(whole_tiles(upper + s * STEP_WORDS, upper + s * STEP_WORDS + d->group),
                      (operand){left + from, right + from, TILE * d->capacity, TILE_ROW}, true);
    }
    _tile_stored(0, to, TILE_ROW);
    _tile_stored(2, below, TILE_ROW);
    if (!is_last) {
        _tile_stored(1, to + TILE_WORDS, TILE_ROW);
        _tile_stored(3, below + TILE_WORDS, TILE_ROW);
    }
}

static void tiles_convolution_gradient(const float *g, ptrdiff_t outputs, const float *x, ptrdiff_t inputs,
                                       ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *dw, float *scratch) {
    if (!fill_tiles(outputs, inputs)) {
        vectors->convolution3x3_gradient(g, outputs, x, inputs, images, h, w, dw, scratch);
        return;
    }
    gradient d = measure_gradient(outputs, inputs);
    place_gradient(&d, scratch);
    const region_counts counts = count_regions(images, h, w, d.capacity);
    memset(d.sums, 0, (d.rows + 1) * d.columns * TILE_WORDS * sizeof(float));
    memset(d.outer + d.rows * d.group, 0, d.group * sizeof(uint32_t));
    use_tiles();
    for (ptrdiff_t index = 0; index < region_count(counts); index++) {
        const region r = region_at(index, counts, images, h, w);
        const ptrdiff_t steps = steps_of(region_length(r));
        split_region(&d, g, outputs, x, inputs, images * h * w, r, h, w);
        for (ptrdiff_t first = 0; first < steps; first += GRADIENT_STEPS)
            for (ptrdiff_t row = 0; row < d.rows; row += 2)
                for (ptrdiff_t column = 0; column < d.columns; column += 2)
                    gradient_corner(&d, row, column, r.pitch, first, smaller(GRADIENT_STEPS, steps - first));
    }
    _tile_release();
    for (ptrdiff_t o = 0; o < outputs; o++)
        for (ptrdiff_t i = 0; i < inputs; i++)
            for (ptrdiff_t tap = 0; tap < 9; tap++) {
                const ptrdiff_t tile = o / TILE * d.columns + i / TILE * 9 + tap;
                dw[(o * inputs + i) * 9 + tap] += d.sums[(tile * TILE + o % TILE) * TILE + i % TILE];
            }
}
