// Where the chunks of a convolution lie: consecutive columns of four rows of an image.
#pragma once
#include "memory.h"
#include "winograd_transform.h"

enum {
    CHUNK = 128,       // columns of a chunk
    CHUNK_PITCH = 144, // of its lines of inputs: one column more on each side
    MOST_PARTS = CHUNK / 3 + 2,
};

/// Consecutive columns of four rows of an image; `at` is its first column's place in the chunk.
typedef struct {
    ptrdiff_t image, row, column, columns, at;
} winograd_part;

/// What a chunk covers. Positions count the columns of all images, group of rows by group of rows, with one more on each
/// side: chunks of them fill vectors however wide the image is.
typedef struct {
    ptrdiff_t count;
    winograd_part parts[MOST_PARTS];
} winograd_chunk;

/// The parts of the positions from `first` to before `end`. Their columns may begin one to the left of the image and end
/// one to the right of it, where all is zero.
INLINE void find_parts(ptrdiff_t first, ptrdiff_t end, ptrdiff_t h, ptrdiff_t w, winograd_chunk *chunk) {
    const ptrdiff_t groups = (h + FOUR - 1) / FOUR;
    chunk->count = 0;
    for (ptrdiff_t position = first, next; position < end; position = next) {
        const ptrdiff_t group = position / (w + 2);
        next = smaller((group + 1) * (w + 2), end);
        chunk->parts[chunk->count++] = (winograd_part){
            group / groups, group % groups * FOUR, position - group * (w + 2) - 1, next - position, position - first,
        };
    }
}

/// The part without columns beside the image.
INLINE winograd_part inside(winograd_part part, ptrdiff_t w) {
    const ptrdiff_t left = part.column < 0, right = part.column + part.columns > w;
    return (winograd_part){part.image, part.row, part.column + left, part.columns - left - right, part.at + left};
}

/// The points along the columns of one channel of a part, to the part's place in lines of CHUNK_PITCH.
INLINE void column_input(const float *plane, winograd_part part, ptrdiff_t h, ptrdiff_t w, float *lines) {
    const winograd_part seen = inside(part, w);
    const float *rows[POINTS];
    for (ptrdiff_t k = 0; k < POINTS; k++) {
        const ptrdiff_t row = part.row + k - 1;
        rows[k] = row < 0 || row >= h ? NULL : plane + row * w + seen.column;
        lines[k * CHUNK_PITCH + part.at] = 0;
        lines[k * CHUNK_PITCH + part.at + part.columns - 1] = 0;
    }
    EACH_VECTOR(i, seen.columns, {
        vfloat d[POINTS], points[POINTS];
        for (int k = 0; k < POINTS; k++) d[k] = rows[k] ? get(rows[k] + i, count) : (vfloat)0;
        winograd_input(d, points);
        for (int k = 0; k < POINTS; k++) put(lines + k * CHUNK_PITCH + seen.at + i, points[k], count);
    });
}

/// v where it is positive, else slope·v; the slope 1 changes nothing.
INLINE vfloat leaky(vfloat v, float slope) { return v > 0.0f ? v : slope * v; }

/// The output rows of one channel of a part, which lies inside of the image, from lines of CHUNK.
INLINE void column_output(const float *lines, float bias, float slope, winograd_part part, ptrdiff_t h, ptrdiff_t w,
                          float *plane) {
    const ptrdiff_t rows = smaller(h - part.row, FOUR);
    float *y = plane + part.row * w + part.column;
    EACH_VECTOR(i, part.columns, {
        vfloat products[POINTS], outputs[FOUR];
        for (int k = 0; k < POINTS; k++) products[k] = get(lines + k * CHUNK + part.at + i, count);
        winograd_output(products, outputs);
        for (ptrdiff_t row = 0; row < rows; row++) put(y + row * w + i, leaky(outputs[row] + bias, slope), count);
    });
}

/// Fetches some rows of a part, which lies inside of the image, for reading or for writing.
INLINE void fetch_rows(const float *plane, winograd_part part, ptrdiff_t first, ptrdiff_t end, ptrdiff_t h, ptrdiff_t w,
                       const int writes) {
    for (ptrdiff_t row = first < 0 ? 0 : first; row < end && row < h; row++)
        for (ptrdiff_t i = 0; i < part.columns; i += 16) {
            const float *p = plane + row * w + part.column + i;
            if (writes)
                __builtin_prefetch(p, 1, 2);
            else
                __builtin_prefetch(p, 0, 2);
        }
}
