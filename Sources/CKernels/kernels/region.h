// Parts of an image whose channels stay in the second-level cache while a 3×3 convolution's weight gradient is summed.
#pragma once
#include "memory.h"

enum {
    REGION_COLUMNS = 126,       // at most
    REGION_VALUES = 256 * 1024, // of all channels
    REGION_REST = 64,           // positions behind the last one that may be touched
};

/// `rows` × `columns` pixels of an image, or several whole images one below the other with an empty row between them.
/// Its positions count them row by row with two more in each row: so all pixels have their neighbours at the same
/// distances, and products need not know where rows end.
typedef struct {
    ptrdiff_t image, images, row, rows, column, columns, pitch;
} region;

INLINE ptrdiff_t region_length(region r) { return (r.images * (r.rows + 1) - 1) * r.pitch; }

/// Positions for which there must be room, with one row more on each side.
INLINE ptrdiff_t region_capacity(ptrdiff_t channels) {
    const ptrdiff_t least = 5 * (REGION_COLUMNS + 2), most = REGION_VALUES / channels / 16 * 16;
    return (most > least ? most : least) + REGION_REST;
}

/// How regions divide a batch: stacks of images, or groups of rows and strips of columns of each.
typedef struct {
    ptrdiff_t stacks, groups, strips;
} region_counts;

INLINE region_counts count_regions(ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, ptrdiff_t capacity) {
    const ptrdiff_t strips = (w + REGION_COLUMNS - 1) / REGION_COLUMNS, pitch = (w + strips - 1) / strips + 2;
    const ptrdiff_t rows = (capacity - REGION_REST) / pitch - 2, groups = (h + rows - 1) / rows;
    const ptrdiff_t together = strips == 1 && groups == 1 ? (rows + 1) / (h + 1) : 1;
    return (region_counts){(images + together - 1) / together, groups, strips};
}

INLINE ptrdiff_t region_count(region_counts counts) { return counts.stacks * counts.groups * counts.strips; }

/// Regions in order: groups of rows from top to bottom within strips within stacks.
INLINE region region_at(ptrdiff_t index, region_counts counts, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w) {
    const ptrdiff_t group = index % counts.groups, strip = index / counts.groups % counts.strips;
    const ptrdiff_t stack = index / counts.groups / counts.strips, image = images * stack / counts.stacks;
    const ptrdiff_t row = h * group / counts.groups, column = w * strip / counts.strips;
    const ptrdiff_t columns = w * (strip + 1) / counts.strips - column;
    return (region){image, images * (stack + 1) / counts.stacks - image, row, h * (group + 1) / counts.groups - row,
                    column, columns, columns + 2};
}

/// A channel's pixels in their positions, zeros between the rows and behind them up to `length`.
INLINE void lay_pixels(const float *plane, region r, ptrdiff_t h, ptrdiff_t w, ptrdiff_t length, float *to) {
    const float *end = to + length;
    for (ptrdiff_t k = 0; k < r.images; k++) {
        const float *line = plane + ((r.image + k) * h + r.row) * w + r.column;
        for (ptrdiff_t row = 0; row < r.rows; row++, line += w, to += r.pitch) {
            EACH_VECTOR(i, r.columns, { put(to + i, get(line + i, count), count); });
            to[r.columns] = to[r.columns + 1] = 0;
        }
        if (k + 1 == r.images) break;
        memset(to, 0, r.pitch * sizeof(float));
        to += r.pitch;
    }
    memset(to, 0, (end - to) * sizeof(float));
}

/// The same with the pixels around the region, which begin a row and a column earlier; zeros outside of the image.
INLINE void lay_neighbours(const float *plane, region r, ptrdiff_t h, ptrdiff_t w, ptrdiff_t length, float *to) {
    const ptrdiff_t left = r.column == 0, right = r.column + r.columns == w;
    const float *end = to + length;
    for (ptrdiff_t k = 0; k < r.images; k++)
        // An image's upper neighbours are the empty row below the one before.
        for (ptrdiff_t row = r.row - (k == 0); row <= r.row + r.rows; row++, to += r.pitch) {
            if (row < 0 || row >= h) {
                memset(to, 0, r.pitch * sizeof(float));
                continue;
            }
            const float *line = plane + ((r.image + k) * h + row) * w + r.column - 1;
            to[0] = to[r.pitch - 1] = 0;
            EACH_VECTOR(i, r.pitch - left - right, { put(to + left + i, get(line + left + i, count), count); });
        }
    memset(to, 0, (end - to) * sizeof(float));
}
