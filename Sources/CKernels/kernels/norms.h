// Normalisation over the channels of each pixel, forward and backward.
#pragma once
#include "moments.h"

INLINE ptrdiff_t block_at(ptrdiff_t pixel, ptrdiff_t pixels) { return smaller(pixels - pixel, BLOCK); }

static void norm_biasfree(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, const float *w,
                          float eps, float *y, ptrdiff_t y_stride) {
    moments sums;
    for (ptrdiff_t first = 0; first < pixels; first += BLOCK) {
        const ptrdiff_t block = block_at(first, pixels);
        gather_moments(x + first, NULL, w, stride, channels, block, &sums);
        invert_deviations(&sums, channels, block, eps);
        for (ptrdiff_t c = 0; c < channels; c++) {
            const float *from = x + c * stride + first;
            float *to = y + c * y_stride + first;
            EACH_VECTOR(i, block, put(to + i, get(from + i, count) * (w[c] * load(sums.squares + i)), count););
        }
    }
}

static void norm_affine(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, const float *w,
                        const float *b, float eps, float *y, ptrdiff_t y_stride) {
    moments sums;
    for (ptrdiff_t first = 0; first < pixels; first += BLOCK) {
        const ptrdiff_t block = block_at(first, pixels);
        gather_moments(x + first, NULL, w, stride, channels, block, &sums);
        invert_deviations(&sums, channels, block, eps);
        for (ptrdiff_t c = 0; c < channels; c++) {
            const float *from = x + c * stride + first;
            float *to = y + c * y_stride + first;
            EACH_VECTOR(i, block, {
                const vfloat centred = get(from + i, count) - load(sums.mean + i);
                put(to + i, centred * (w[c] * load(sums.squares + i)) + b[c], count);
            });
        }
    }
}

/// Turns Σu·(x − μ) into (Σu·x)/(C·S³), the factor of x − μ in the input gradient.
INLINE void finish_biasfree(moments *sums, ptrdiff_t channels, ptrdiff_t pixels) {
    const float share = 1.0f / (float)channels;
    EACH_VECTOR(i, pixels, {
        const vfloat inverse = load(sums->squares + i);
        const vfloat raw = load(sums->gradient + i) * load(sums->mean + i) + load(sums->product + i);
        put(sums->product + i, raw * share * inverse * inverse * inverse, count);
    });
}

static void norm_biasfree_backward(const float *x, const float *g, ptrdiff_t stride, ptrdiff_t channels,
                                   ptrdiff_t pixels, const float *w, float eps, float *dx, float *dw) {
    moments sums;
    for (ptrdiff_t first = 0; first < pixels; first += BLOCK) {
        const ptrdiff_t block = block_at(first, pixels);
        gather_moments(x + first, g + first, w, stride, channels, block, &sums);
        invert_deviations(&sums, channels, block, eps);
        finish_biasfree(&sums, channels, block);
        for (ptrdiff_t c = 0; c < channels; c++) {
            const ptrdiff_t at = c * stride + first;
            vfloat weight = 0;
            EACH_VECTOR(i, block, {
                const vfloat value = get(x + at + i, count);
                const vfloat scaled = get(g + at + i, count) * load(sums.squares + i);
                weight = scaled * value + weight;
                const vfloat pull = (value - load(sums.mean + i)) * load(sums.product + i);
                put(dx + at + i, w[c] * scaled - pull, count);
            });
            dw[c] += sum_lanes(weight);
        }
    }
}

/// Turns the sums into the mean of u times 1/S and the mean of u·(x − μ) times 1/S³.
INLINE void finish_affine(moments *sums, ptrdiff_t channels, ptrdiff_t pixels) {
    const float share = 1.0f / (float)channels;
    EACH_VECTOR(i, pixels, {
        const vfloat inverse = load(sums->squares + i);
        put(sums->gradient + i, load(sums->gradient + i) * share * inverse, count);
        put(sums->product + i, load(sums->product + i) * share * inverse * inverse * inverse, count);
    });
}

static void norm_affine_backward(const float *x, const float *g, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                                 const float *w, float eps, float *dx, float *dw, float *db) {
    moments sums;
    for (ptrdiff_t first = 0; first < pixels; first += BLOCK) {
        const ptrdiff_t block = block_at(first, pixels);
        gather_moments(x + first, g + first, w, stride, channels, block, &sums);
        invert_deviations(&sums, channels, block, eps);
        finish_affine(&sums, channels, block);
        for (ptrdiff_t c = 0; c < channels; c++) {
            const ptrdiff_t at = c * stride + first;
            vfloat weight = 0;
            vfloat bias = 0;
            EACH_VECTOR(i, block, {
                const vfloat gradient = get(g + at + i, count);
                const vfloat centred = get(x + at + i, count) - load(sums.mean + i);
                const vfloat scaled = gradient * load(sums.squares + i);
                weight = scaled * centred + weight;
                bias += gradient;
                const vfloat direct = w[c] * scaled - load(sums.gradient + i);
                put(dx + at + i, direct - centred * load(sums.product + i), count);
            });
            dw[c] += sum_lanes(weight);
            db[c] += sum_lanes(bias);
        }
    }
}
