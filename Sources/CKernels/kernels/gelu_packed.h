// GELU and its gate, written as packed pixels for the product that follows.
#pragma once
#include "gelu.h"
#include "mixing.h"

/// The vectors of one channel's panels from gelu(a), times b where there is one; lanes behind the last pixel are zero.
INLINE void gelu_row_packed(const float *a, const float *b, ptrdiff_t pixels, ptrdiff_t panel, float *to) {
    EACH_VECTOR(i, pixels, {
        const vfloat v = get(a + i, count);
        const vfloat activated = v * normal_of(v).cumulative;
        store(to + i / MIX_COLUMNS * panel + i % MIX_COLUMNS, b ? activated * get(b + i, count) : activated);
    });
}

static void gelu_packed(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, float *panels) {
    for (ptrdiff_t c = 0; c < channels; c++)
        gelu_row_packed(x + c * stride, NULL, pixels, channels * MIX_COLUMNS, panels + c * MIX_COLUMNS);
}

static void gelu_gate_packed(const float *a, const float *b, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                             float *panels) {
    for (ptrdiff_t c = 0; c < channels; c++)
        gelu_row_packed(a + c * stride, b + c * stride, pixels, channels * MIX_COLUMNS, panels + c * MIX_COLUMNS);
}
