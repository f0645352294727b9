// Block matching and filtering in three dimensions (BM3D; Dabov, Foi, Katkovnik and Egiazarian 2007): blocks of 8×8
// samples that look alike are transformed together, by cosines within the blocks and Walsh's functions across them.
#pragma once
#include "block_matches.h"
#include "block_transforms.h"

/// Coefficients below so many deviations go in the first step.
#define BLOCK_THRESHOLD 2.7f

/// Blocks of the plane in pairs; the last pair's second is empty where their number is odd, which it is for one alone.
INLINE void gather_blocks(const float *plane, ptrdiff_t w, const ptrdiff_t *starts, int count,
                          block_pair *stack) {
    for (int n = 0; n < count; n += 2)
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            block_row first, second = 0;
            memcpy(&first, plane + starts[n] + row * w, sizeof first);
            if (n + 1 < count) memcpy(&second, plane + starts[n + 1] + row * w, sizeof second);
            stack[n / 2].rows[row] = join_rows(first, second);
        }
}

/// Zeroes small coefficients; returns how many are left.
INLINE float harden_stack(block_pair *stack, int count, float limit) {
    pair_row kept = 0;
    for (int n = 0; n < count; n += 2)
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            const pair_row value = stack[n / 2].rows[row];
            const pair_ints is_large = __builtin_elementwise_abs(value) > limit;
            stack[n / 2].rows[row] = (pair_row)((pair_ints)value & is_large);
            kept += (pair_row)((pair_ints)(pair_row)1.0f & is_large);
        }
    return sum_of_lanes(kept);
}

/// Multiplies each coefficient by p/(p + variance), where p is the guide's power; returns the sum of those factors' squares.
INLINE float weigh_stack(block_pair *stack, const block_pair *guide, int count, float variance) {
    pair_row kept = 0;
    for (int n = 0; n < count; n += 2)
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            const pair_row power = guide[n / 2].rows[row] * guide[n / 2].rows[row];
            const pair_row gain = power / (power + variance + 1e-30f); // zero has no power at all
            stack[n / 2].rows[row] *= gain;
            kept += gain * gain;
        }
    return sum_of_lanes(kept);
}

INLINE void add_block_row(float *sums, float *weights, block_row row, float weight) {
    block_row sum, whole;
    memcpy(&sum, sums, sizeof sum);
    memcpy(&whole, weights, sizeof whole);
    sum += weight * row;
    whole += weight;
    memcpy(sums, &sum, sizeof sum);
    memcpy(weights, &whole, sizeof whole);
}

static void filter_stack(const float *noisy, const float *guide, ptrdiff_t w, const ptrdiff_t *starts, int count,
                         float deviation, ptrdiff_t origin, float *sums, float *weights) {
    block_pair stack[MOST_BLOCKS / 2], clean[MOST_BLOCKS / 2];
    gather_blocks(noisy, w, starts, count, stack);
    transform_stack(stack, count);
    // Walsh's functions were not divided by the root of their number, so that power is `count` times too large.
    float kept;
    if (guide) {
        gather_blocks(guide, w, starts, count, clean);
        transform_stack(clean, count);
        kept = weigh_stack(stack, clean, count, (float)count * deviation * deviation);
    } else {
        kept = harden_stack(stack, count, BLOCK_THRESHOLD * deviation * __builtin_sqrtf((float)count));
    }
    restore_stack(stack, count);
    const float least = guide ? 1e-3f : 1, weight = 1 / (kept > least ? kept : least);
    for (int n = 0; n < count; n++)
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            const ptrdiff_t at = starts[n] + row * w - origin;
            const pair_row both = stack[n / 2].rows[row];
            add_block_row(sums + at, weights + at, (n & 1 ? second_row(both) : first_row(both)) * (1.0f / (float)count),
                          weight);
        }
}

static void filter_block_row(const float *noisy, const float *guide, ptrdiff_t h, ptrdiff_t w, ptrdiff_t row,
                             const float *deviations, ptrdiff_t first, float *sums, float *weights) {
    const int most = guide ? MOST_BLOCKS : MOST_BLOCKS / 2;
    for (ptrdiff_t column = 0; column + DN_BLOCK_SIDE <= w;) {
        const ptrdiff_t references = smaller(MATCH_REFERENCES, (w - DN_BLOCK_SIDE - column) / DN_BLOCK_STEP + 1);
        float likeness[MATCH_REFERENCES];
        for (ptrdiff_t r = 0; r < references; r++) {
            const float deviation = deviations[column / DN_BLOCK_STEP + r];
            likeness[r] = (guide ? 4.0f : 25.0f) * deviation * deviation * DN_BLOCK_SIDE * DN_BLOCK_SIDE;
        }
        block_matches matches[MATCH_REFERENCES];
        match_blocks(guide ? guide : noisy, h, w, row, column, references, most, likeness, matches);
        for (ptrdiff_t r = 0; r < references; r++) {
            ptrdiff_t starts[MOST_BLOCKS];
            const int count = list_blocks(&matches[r], most, likeness[r], row * w + column + r * DN_BLOCK_STEP, w, starts);
            filter_stack(noisy, guide, w, starts, count, deviations[column / DN_BLOCK_STEP + r], first * w, sums, weights);
        }
        // The last block ends with the row.
        const ptrdiff_t next = column + references * DN_BLOCK_STEP, last = w - DN_BLOCK_SIDE;
        column = next > last && next - DN_BLOCK_STEP < last ? last : next;
    }
}
