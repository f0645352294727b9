// Orthonormal cosine transforms of 8×8 samples, two blocks at a time, and Walsh's functions across a stack of them.
#pragma once
#include "vectors.h"

// Functions that take or give vectors wider than the machine's are all inlined.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float block_row __attribute__((ext_vector_type(8)));
typedef float pair_row __attribute__((ext_vector_type(16)));
typedef int32_t pair_ints __attribute__((ext_vector_type(16)));

/// Two blocks side by side.
typedef struct {
    pair_row rows[DN_BLOCK_SIDE];
} block_pair;

INLINE pair_row join_rows(block_row a, block_row b) {
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE block_row first_row(pair_row v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
INLINE block_row second_row(pair_row v) { return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); }

INLINE float sum_of_lanes(pair_row v) {
    const block_row half = first_row(v) + second_row(v);
    return ((half[0] + half[4]) + (half[1] + half[5])) + ((half[2] + half[6]) + (half[3] + half[7]));
}

/// c(k)·cos((2n + 1)kπ/16) for n < 4; the other half is the mirror of these, with changed sign for odd k.
static const float cosine_table[DN_BLOCK_SIDE][4] = {
    {0.353553391f, 0.353553391f, 0.353553391f, 0.353553391f},
    {0.490392640f, 0.415734806f, 0.277785117f, 0.0975451610f},
    {0.461939766f, 0.191341716f, -0.191341716f, -0.461939766f},
    {0.415734806f, -0.0975451610f, -0.490392640f, -0.277785117f},
    {0.353553391f, -0.353553391f, -0.353553391f, 0.353553391f},
    {0.277785117f, -0.490392640f, 0.0975451610f, 0.415734806f},
    {0.191341716f, -0.461939766f, 0.461939766f, -0.191341716f},
    {0.0975451610f, -0.277785117f, 0.415734806f, -0.490392640f},
};

/// Down the columns.
INLINE void cosine_columns(pair_row *x) {
    pair_row halves[2][4];
    for (int n = 0; n < 4; n++) {
        halves[0][n] = x[n] + x[7 - n];
        halves[1][n] = x[n] - x[7 - n];
    }
    for (int k = 0; k < DN_BLOCK_SIDE; k++) {
        pair_row sum = cosine_table[k][0] * halves[k & 1][0];
        for (int n = 1; n < 4; n++) sum += cosine_table[k][n] * halves[k & 1][n];
        x[k] = sum;
    }
}

INLINE void cosine_columns_back(pair_row *x) {
    pair_row even[4], odd[4];
    for (int n = 0; n < 4; n++) {
        even[n] = cosine_table[0][n] * x[0];
        odd[n] = cosine_table[1][n] * x[1];
        for (int k = 2; k < DN_BLOCK_SIDE; k += 2) {
            even[n] += cosine_table[k][n] * x[k];
            odd[n] += cosine_table[k + 1][n] * x[k + 1];
        }
    }
    for (int n = 0; n < 4; n++) {
        x[n] = even[n] + odd[n];
        x[7 - n] = even[n] - odd[n];
    }
}

/// Rows and columns of both blocks exchanged.
INLINE void transpose_pair(pair_row *x) {
    pair_row a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        a[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = i; k < i + 2; k++) {
            b[k] = __builtin_shufflevector(a[k], a[k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            b[k + 2] = __builtin_shufflevector(a[k], a[k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    for (int k = 0; k < 4; k++) {
        x[k] = __builtin_shufflevector(b[k], b[k + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
        x[k + 4] = __builtin_shufflevector(b[k], b[k + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
    }
}

/// Walsh's functions across `count` blocks, a power of two, not normalised: twice over, each block comes back `count` times.
INLINE void walsh_stack(block_pair *stack, int count) {
    if (count < 2) return;
    const pair_row signs = {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1};
    for (int pair = 0; pair < count / 2; pair++)
        for (int row = 0; row < DN_BLOCK_SIDE; row++) {
            const pair_row v = stack[pair].rows[row];
            stack[pair].rows[row] = join_rows(second_row(v), first_row(v)) + signs * v;
        }
    for (int half = 1; half < count / 2; half *= 2)
        for (int start = 0; start < count / 2; start += 2 * half)
            for (int pair = start; pair < start + half; pair++)
                for (int row = 0; row < DN_BLOCK_SIDE; row++) {
                    const pair_row a = stack[pair].rows[row], b = stack[pair + half].rows[row];
                    stack[pair].rows[row] = a + b;
                    stack[pair + half].rows[row] = a - b;
                }
}

/// Each block's coefficients lie transposed, which is as good.
INLINE void transform_stack(block_pair *stack, int count) {
    for (int n = 0; n < count; n += 2) {
        cosine_columns(stack[n / 2].rows);
        transpose_pair(stack[n / 2].rows);
        cosine_columns(stack[n / 2].rows);
    }
    walsh_stack(stack, count);
}

/// The inverse but for a factor of `count`.
INLINE void restore_stack(block_pair *stack, int count) {
    walsh_stack(stack, count);
    for (int n = 0; n < count; n += 2) {
        cosine_columns_back(stack[n / 2].rows);
        transpose_pair(stack[n / 2].rows);
        cosine_columns_back(stack[n / 2].rows);
    }
}
