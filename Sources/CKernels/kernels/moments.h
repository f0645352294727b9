// Mean and variance over the channels of many pixels at once.
//
// Channels lie far apart, so a block of pixels is kept for all of them: lanes are pixels. Eight channels at a time are
// loaded into registers, where their mean and squared deviations are taken in two passes, and merged with those before
// (T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
// This reads the input once and is as accurate as two passes over all channels.
#pragma once
#include "memory.h"

enum { BLOCK = 256, GROUP = 8 };

/// Sums over channels of each pixel of a block. With weighted gradients u = w·g: Σu and Σu·(x − mean).
typedef struct {
    _Alignas(VECTOR_BYTES) float mean[BLOCK];
    float squares[BLOCK]; // Σ(x − mean)²
    float gradient[BLOCK];
    float product[BLOCK];
} moments;

/// Merges `group` channels of `count` pixels; `seen` channels are in the sums already. Without `g`, only the moments.
INLINE void merge_channels(const float *x, const float *g, const float *w, ptrdiff_t stride, const int group,
                           float seen, ptrdiff_t count, moments *sums, ptrdiff_t at) {
    vfloat values[GROUP];
    vfloat sum[2] = {0, 0}, square[2] = {0, 0}; // two chains, for the latency of additions
    for (int j = 0; j < group; j++) {
        values[j] = get(x + j * stride, count);
        sum[j % 2] += values[j];
    }
    const vfloat mean = (sum[0] + sum[1]) * (1.0f / group);
    for (int j = 0; j < group; j++) {
        values[j] -= mean;
        square[j % 2] = values[j] * values[j] + square[j % 2];
    }
    const vfloat squares = square[0] + square[1];
    const float all = seen + group;
    const vfloat before = load(sums->mean + at), difference = mean - before;
    const vfloat joint = difference * (group / all) + before;
    store(sums->mean + at, joint);
    store(sums->squares + at, load(sums->squares + at) + squares + difference * difference * (seen * group / all));
    if (!g) return;
    vfloat gradient = 0, product = 0;
    for (int j = 0; j < group; j++) {
        const vfloat u = w[j] * get(g + j * stride, count);
        gradient += u;
        product = u * values[j] + product;
    }
    const vfloat gradient_before = load(sums->gradient + at);
    product = gradient * (mean - joint) + product;
    product = gradient_before * (before - joint) + product;
    store(sums->product + at, load(sums->product + at) + product);
    store(sums->gradient + at, gradient_before + gradient);
}

/// The moments of a block of `pixels` ≤ BLOCK; lanes behind the last pixel hold zeros.
INLINE void gather_moments(const float *x, const float *g, const float *w, ptrdiff_t stride, ptrdiff_t channels,
                           ptrdiff_t pixels, moments *sums) {
    const size_t bytes = (size_t)((pixels + LANES - 1) / LANES * LANES) * sizeof(float);
    memset(sums->mean, 0, bytes);
    memset(sums->squares, 0, bytes);
    if (g) {
        memset(sums->gradient, 0, bytes);
        memset(sums->product, 0, bytes);
    }
    ptrdiff_t c = 0;
    for (; c + GROUP <= channels; c += GROUP) {
        const float *const xc = x + c * stride, *const gc = g ? g + c * stride : NULL, *const wc = w + c;
        EACH_VECTOR(i, pixels,
                    merge_channels(xc + i, g ? gc + i : NULL, wc, stride, GROUP, (float)c, count, sums, i););
    }
    for (; c < channels; c++) {
        const float *const xc = x + c * stride, *const gc = g ? g + c * stride : NULL, *const wc = w + c;
        EACH_VECTOR(i, pixels, merge_channels(xc + i, g ? gc + i : NULL, wc, stride, 1, (float)c, count, sums, i););
    }
}

/// 1/√(variance + ε) replaces the squares; zero behind the last pixel.
INLINE void invert_deviations(moments *sums, ptrdiff_t channels, ptrdiff_t pixels, float eps) {
    const float share = 1.0f / (float)channels;
    EACH_VECTOR(i, pixels, {
        const vfloat variance = load(sums->squares + i) * share;
        put(sums->squares + i, 1.0f / __builtin_elementwise_sqrt(variance + eps), count);
    });
}
