// The blocks around reference blocks that look most like them.
#pragma once
#include "block_transforms.h"

/// Blocks of the largest stack.
#define MOST_BLOCKS 32
/// Reference blocks that are compared at once.
#define MATCH_REFERENCES 16

#define MATCH_OFFSETS (2 * DN_BLOCK_REACH + 1)
#define MATCH_ROWS (2 * DN_BLOCK_REACH + DN_BLOCK_SIDE)
/// Columns of the references, and of all that they are compared with, in whole vectors.
#define MATCH_SPAN 80
#define MATCH_COLUMNS (MATCH_SPAN + 2 * DN_BLOCK_REACH)

typedef uint32_t match_keys __attribute__((ext_vector_type(MOST_BLOCKS)));
typedef bool match_flags __attribute__((ext_vector_type(MATCH_REFERENCES)));

/// In ascending order: a distance's upper 22 bits, then the number of the offset that it was found at, 0 for the reference.
typedef struct {
    match_keys keys;
} block_matches;

#define MATCH_OFFSET_BITS 1023u

INLINE float key_distance(uint32_t key) {
    const uint32_t bits = key & ~MATCH_OFFSET_BITS;
    float distance;
    memcpy(&distance, &bits, sizeof distance);
    return distance;
}

INLINE void insert_match(block_matches *matches, float distance, uint32_t offset) {
    uint32_t bits;
    memcpy(&bits, &distance, sizeof bits);
    const match_keys key = (bits & ~MATCH_OFFSET_BITS) | offset, keys = matches->keys;
    const match_keys before = __builtin_shufflevector(
        keys, (match_keys)0u, 32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
        24, 25, 26, 27, 28, 29, 30);
    matches->keys = __builtin_elementwise_min(keys, __builtin_elementwise_max(before, key));
}

/// Sums of four neighbours each, of 64 values.
INLINE pair_row sums_of_four(const pair_row *v) {
    pair_row pairs[2];
    for (int half = 0; half < 2; half++) {
        const pair_row a = v[2 * half], b = v[2 * half + 1];
        pairs[half] =
            __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
            __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    }
    return __builtin_shufflevector(pairs[0], pairs[1], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(pairs[0], pairs[1], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// Squared distances of the references, DN_BLOCK_STEP columns apart, from the blocks that begin at `other`, in rows of
/// MATCH_COLUMNS samples.
INLINE pair_row block_distances(const float *reference, const float *other) {
    pair_row columns[MATCH_SPAN / 16];
    for (int v = 0; v < MATCH_SPAN / 16; v++) {
        pair_row sum = 0;
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            pair_row a, b;
            memcpy(&a, reference + row * MATCH_COLUMNS + 16 * v, sizeof a);
            memcpy(&b, other + row * MATCH_COLUMNS + 16 * v, sizeof b);
            sum += (a - b) * (a - b);
        }
        columns[v] = sum;
    }
    const pair_row quarters = sums_of_four(columns), last = columns[4];
    const float rest = (last[0] + last[1]) + (last[2] + last[3]);
    return quarters + __builtin_shufflevector(quarters, (pair_row)rest, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                              16);
}

/// For `references` blocks from (row, column) on, DN_BLOCK_STEP columns apart.
static void match_blocks(const float *plane, ptrdiff_t h, ptrdiff_t w, ptrdiff_t row, ptrdiff_t column,
                         ptrdiff_t references, int most, const float *likeness, block_matches *matches) {
    float around[MATCH_ROWS * MATCH_COLUMNS + 16];
    memset(around, 0, sizeof around);
    const ptrdiff_t left = column - DN_BLOCK_REACH, from = left > 0 ? left : 0, to = smaller(left + MATCH_COLUMNS, w);
    for (ptrdiff_t r = 0; r < MATCH_ROWS; r++) {
        const ptrdiff_t y = row - DN_BLOCK_REACH + r;
        if (y >= 0 && y < h)
            memcpy(around + r * MATCH_COLUMNS + from - left, plane + y * w + from, (size_t)(to - from) * sizeof(float));
    }
    const float *centre = around + DN_BLOCK_REACH * MATCH_COLUMNS + DN_BLOCK_REACH;
    pair_row limits = -1, columns;
    for (ptrdiff_t r = 0; r < references; r++) {
        matches[r].keys = ~0u;
        insert_match(&matches[r], 0, 0);
        limits[r] = likeness[r];
    }
    for (int r = 0; r < MATCH_REFERENCES; r++) columns[r] = (float)(column + r * DN_BLOCK_STEP);
    for (ptrdiff_t dy = -DN_BLOCK_REACH; dy <= DN_BLOCK_REACH; dy++) {
        if (row + dy < 0 || row + dy + DN_BLOCK_SIDE > h) continue;
        for (ptrdiff_t dx = -DN_BLOCK_REACH; dx <= DN_BLOCK_REACH; dx++) {
            if (dy == 0 && dx == 0) continue;
            const pair_row distances = block_distances(centre, centre + dy * MATCH_COLUMNS + dx);
            const pair_row at = columns + (float)dx;
            const match_flags found = __builtin_convertvector(
                (distances < limits) & (at >= 0.0f) & (at <= (float)(w - DN_BLOCK_SIDE)), match_flags);
            uint16_t flags;
            memcpy(&flags, &found, sizeof flags);
            const uint32_t offset = (uint32_t)((dy + DN_BLOCK_REACH) * MATCH_OFFSETS + dx + DN_BLOCK_REACH + 1);
            for (; flags; flags &= flags - 1) {
                const int r = __builtin_ctz(flags);
                insert_match(&matches[r], distances[r], offset);
                const float furthest = key_distance(matches[r].keys[most - 1]);
                if (furthest < limits[r]) limits[r] = furthest;
            }
        }
    }
}

/// Where the nearest blocks begin in their plane, the reference itself first.
///
/// Returns how many: a power of two.
INLINE int list_blocks(const block_matches *matches, int most, float likeness, ptrdiff_t start, ptrdiff_t w,
                       ptrdiff_t *starts) {
    starts[0] = start;
    int found = 1;
    for (; found < most && key_distance(matches->keys[found]) < likeness; found++) {
        const ptrdiff_t offset = (matches->keys[found] & MATCH_OFFSET_BITS) - 1;
        starts[found] = start + (offset / MATCH_OFFSETS - DN_BLOCK_REACH) * w + offset % MATCH_OFFSETS - DN_BLOCK_REACH;
    }
    int count = 1;
    while (2 * count <= found) count *= 2;
    return count;
}
