// Elementwise arithmetic.
#pragma once
#include "memory.h"

static void add(const float *a, const float *b, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, put(y + i, get(a + i, count) + get(b + i, count), count););
}

static void multiply(const float *a, const float *b, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, put(y + i, get(a + i, count) * get(b + i, count), count););
}

static void axpy(float s, const float *x, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, put(y + i, s * get(x + i, count) + get(y + i, count), count););
}

static void scale_add(const float *x, float s, const float *t, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, put(y + i, s * get(t + i, count) + get(x + i, count), count););
}

static void scale_offset(const float *x, float s, float o, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, put(y + i, s * get(x + i, count) + o, count););
}

static void leaky_relu(const float *x, float slope, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, {
        const vfloat v = get(x + i, count);
        put(y + i, v > 0 ? v : slope * v, count);
    });
}

static void leaky_relu_backward(const float *y, const float *g, float slope, float *dx, ptrdiff_t n) {
    EACH_VECTOR(i, n, {
        const vfloat gradient = get(g + i, count);
        put(dx + i, get(y + i, count) > 0 ? gradient : slope * gradient, count);
    });
}

static void select_by_mask(const float *mask, const float *a, const float *b, float *y, ptrdiff_t n) {
    EACH_VECTOR(i, n, {
        const vfloat m = get(mask + i, count);
        const vfloat rest = (1 - m) * get(b + i, count);
        put(y + i, m * get(a + i, count) + rest, count);
    });
}
