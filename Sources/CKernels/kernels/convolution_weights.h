// The weight gradient of a dense 3×3 convolution: that of a 1×1 one of all taps, since a tap is a distance between
// positions.
#pragma once
#include "mixing_weights.h"
#include "region.h"

static ptrdiff_t convolution_gradient_scratch(ptrdiff_t outputs, ptrdiff_t inputs) {
    return region_capacity(outputs + inputs) * (outputs + inputs);
}

static void convolution3x3_gradient(const float *g, ptrdiff_t outputs, const float *x, ptrdiff_t inputs, ptrdiff_t images,
                                    ptrdiff_t h, ptrdiff_t w, float *dw, float *scratch) {
    const ptrdiff_t capacity = region_capacity(outputs + inputs), pixels = images * h * w;
    const region_counts counts = count_regions(images, h, w, capacity);
    float *outer = scratch, *inner = outer + outputs * capacity;
    for (ptrdiff_t index = 0; index < region_count(counts); index++) {
        const region r = region_at(index, counts, images, h, w);
        const ptrdiff_t length = region_length(r);
        for (ptrdiff_t o = 0; o < outputs; o++) lay_pixels(g + o * pixels, r, h, w, length, outer + o * capacity);
        for (ptrdiff_t i = 0; i < inputs; i++)
            lay_neighbours(x + i * pixels, r, h, w, length + 2 * r.pitch + 2, inner + i * capacity);
        for (ptrdiff_t first = 0; first < length; first += DOT_BLOCK)
            for (ptrdiff_t column = 0; column < 9 * inputs; column += DOT_COLUMNS) {
                const float *starts[DOT_COLUMNS];
                for (ptrdiff_t k = 0; k < DOT_COLUMNS; k++) {
                    const ptrdiff_t tap = (column + k) % 9;
                    starts[k] = inner + (column + k) / 9 * capacity + tap / 3 * r.pitch + tap % 3 + first;
                }
                dot_outputs(outer + first, capacity, outputs, starts, 9 * inputs - column,
                            smaller(length - first, DOT_BLOCK), dw + column, 9 * inputs);
            }
    }
}
