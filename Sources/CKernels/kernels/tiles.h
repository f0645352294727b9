// Products by AMX's matrix tiles.
//
// A tile multiplies bfloat16 numbers, of 8 significant bits, and sums in single precision. The sum of two such numbers is
// within 2⁻¹⁸ of any number of single precision; of the four products of two such sums the last is as small as that error
// and left out. So each product has 17 significant bits, 64 times finer than those of TensorFloat-32, and sums are those
// of single precision (G. Henry, P. Tang, A. Heinecke, "Leveraging the bfloat16 artificial intelligence datatype for
// higher-precision computations", 2019). Tiles multiply sixteen times as fast as AVX-512, hence five times for three
// products.
//
// Tiles hold 16 rows of 16 words. Words of both operands hold two summands, i and i + 16 of a step of 32: a left tile has
// a row for each output, a right one a row for each word of the step and a column for each pixel.
#pragma once
#include "../tables.h"
#include "memory.h"

enum {
    TILE = 16,             // rows, and words of a row
    TILE_WORDS = 256,      // of a tile
    STEP = 32,             // summands of a tile
    PIECES = 2,            // bfloat16 numbers for one of single precision
    STEP_WORDS = PIECES * TILE_WORDS,
    PAIR = 2 * TILE,       // outputs and pixels of two tiles
    TILE_ROW = 4 * TILE,   // bytes
};

INLINE ptrdiff_t steps_of(ptrdiff_t summands) { return (summands + STEP - 1) / STEP; }

/// Smaller matrices leave most of a tile empty: vectors are faster, and as exact as single precision.
INLINE bool fill_tiles(ptrdiff_t outputs, ptrdiff_t inputs) { return outputs >= PAIR && inputs >= STEP; }

static const dn_kernels *const vectors = &dn_kernels_avx512;

/// Sets this thread's eight tiles up; `_tile_release` ends their use and keeps context switches cheap.
INLINE void use_tiles(void) {
    static const struct __attribute__((packed, aligned(64))) {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shape = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&shape);
}

/// Words of the pieces of each pair of summands, `next` words apart: each is what the ones before it leave, rounded.
INLINE void split(vfloat low, vfloat high, uint32_t *words, ptrdiff_t next) {
#pragma clang loop unroll(full)
    for (int piece = 0; piece < PIECES; piece++) {
        const vuint rounded_low = (vuint)low + 0x8000, rounded_high = ((vuint)high + 0x8000) & 0xffff0000;
        const vuint pair = (rounded_low >> 16) | rounded_high;
        memcpy(words + piece * next, &pair, sizeof pair);
        low -= (vfloat)(rounded_low & 0xffff0000);
        high -= (vfloat)rounded_high;
    }
}

/// The rows of a 16×16 matrix become its columns: of blocks of 8, then 4, 2 and 1, the two off the diagonal change places.
INLINE void transpose(vfloat *m) {
#define EXCHANGE(distance, ...)                                                                                        \
    for (int i = 0; i < 16; i++) {                                                                                     \
        if (i & (distance)) continue;                                                                                  \
        const vuint from = {__VA_ARGS__};                                                                              \
        const vfloat upper = m[i], lower = m[i + (distance)];                                                          \
        m[i] = (vfloat)_mm512_permutex2var_ps((__m512)upper, (__m512i)from, (__m512)lower);                            \
        m[i + (distance)] = (vfloat)_mm512_permutex2var_ps((__m512)upper, (__m512i)(from + (distance)), (__m512)lower); \
    }
#pragma clang loop unroll(full)
    EXCHANGE(8, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#pragma clang loop unroll(full)
    EXCHANGE(4, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#pragma clang loop unroll(full)
    EXCHANGE(2, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#pragma clang loop unroll(full)
    EXCHANGE(1, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
#undef EXCHANGE
}

/// Where a product finds two tiles of an operand: their pieces are `next` words apart, their rows `row` bytes.
typedef struct {
    const uint32_t *first, *second;
    ptrdiff_t next, row;
} operand;

/// Two tiles whose pieces lie one behind the other.
INLINE operand whole_tiles(const uint32_t *first, const uint32_t *second) {
    return (operand){first, second, TILE_WORDS, TILE_ROW};
}

/// Tiles 0 and 1 += left.first·right, and 2 and 3 += left.second·right if `both`; without it, 2 and 3 share the sums of 0
/// and 1, since each product waits for the one before in its tile.
INLINE void multiply_step(operand left, operand right, const bool both) {
#define LOAD_LEFT(piece)                                                                                               \
    _tile_loadd(4, left.first + (piece) * left.next, left.row);                                                        \
    if (both) _tile_loadd(5, left.second + (piece) * left.next, left.row)
#define LOAD_RIGHT(piece)                                                                                              \
    _tile_loadd(6, right.first + (piece) * right.next, right.row);                                                     \
    _tile_loadd(7, right.second + (piece) * right.next, right.row)
#define MULTIPLY(alone_left, alone_right)                                                                              \
    if (both) {                                                                                                        \
        _tile_dpbf16ps(0, 4, 6);                                                                                       \
        _tile_dpbf16ps(1, 4, 7);                                                                                       \
        _tile_dpbf16ps(2, 5, 6);                                                                                       \
        _tile_dpbf16ps(3, 5, 7);                                                                                       \
    } else {                                                                                                           \
        _tile_dpbf16ps(alone_left, 4, 6);                                                                              \
        _tile_dpbf16ps(alone_right, 4, 7);                                                                             \
    }
    LOAD_LEFT(0);
    LOAD_RIGHT(1);
    MULTIPLY(2, 3)
    LOAD_RIGHT(0);
    MULTIPLY(0, 1)
    LOAD_LEFT(1);
    MULTIPLY(2, 3)
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef MULTIPLY
}

/// A corner of a matrix under computation: at most 32 outputs × 32 pixels, y = sums + bias + base.
typedef struct {
    ptrdiff_t rows, columns;
    const float *bias, *base; // may be null
    ptrdiff_t base_stride;
    float *y;
    ptrdiff_t y_stride;
} corner;

typedef float corner_values[PAIR][PAIR];

INLINE bool is_whole(corner c, const bool both) { return c.rows == (both ? PAIR : TILE) && c.columns == PAIR; }

INLINE void start_sums(corner c, const bool both, corner_values scratch) {
    const float *from = c.base;
    ptrdiff_t stride = c.base_stride;
    if (c.bias || (c.base && !is_whole(c, both))) {
        for (ptrdiff_t r = 0; r < c.rows; r++)
            for (ptrdiff_t p = 0; p < c.columns; p += LANES) {
                const ptrdiff_t count = smaller(LANES, c.columns - p);
                const vfloat offset = c.bias ? c.bias[r] : 0;
                store(scratch[r] + p, c.base ? offset + get(c.base + r * c.base_stride + p, count) : offset);
            }
        from = scratch[0];
        stride = PAIR;
    }
    if (from) {
        _tile_loadd(0, from, stride * 4);
        _tile_loadd(1, from + TILE, stride * 4);
    } else {
        _tile_zero(0);
        _tile_zero(1);
    }
    if (from && both) {
        _tile_loadd(2, from + TILE * stride, stride * 4);
        _tile_loadd(3, from + TILE * stride + TILE, stride * 4);
    } else {
        _tile_zero(2);
        _tile_zero(3);
    }
}

/// Stores the four tiles; without `both`, their sums are the first 16 rows.
INLINE void gather_sums(float *to, ptrdiff_t stride, const bool both, corner_values scratch) {
    float *at = both ? to : scratch[0];
    const ptrdiff_t row = both ? stride : PAIR;
    _tile_stored(0, at, row * 4);
    _tile_stored(1, at + TILE, row * 4);
    _tile_stored(2, at + TILE * row, row * 4);
    _tile_stored(3, at + TILE * row + TILE, row * 4);
    if (both) return;
    for (ptrdiff_t r = 0; r < TILE; r++)
        for (ptrdiff_t p = 0; p < PAIR; p += LANES)
            store(to + r * stride + p, load(scratch[r] + p) + load(scratch[r + TILE] + p));
}

INLINE void finish_sums(corner c, const bool both, corner_values scratch) {
    if (is_whole(c, both)) {
        gather_sums(c.y, c.y_stride, both, scratch);
        return;
    }
    gather_sums(scratch[0], PAIR, both, scratch);
    for (ptrdiff_t r = 0; r < c.rows; r++)
        for (ptrdiff_t p = 0; p < c.columns; p += LANES)
            put(c.y + r * c.y_stride + p, load(scratch[r] + p), smaller(LANES, c.columns - p));
}
