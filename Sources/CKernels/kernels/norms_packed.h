// Normalisation of packed pixels in place.
//
// Channels that lie a power of two apart fall into the same few sets of every cache. A panel has its channels side by
// side, so it is read from memory once and then normalised where it stays, in the first cache level.
#pragma once
#include "mixing.h"

/// Mean and 1/√(variance + ε) of one vector of pixels, two passes.
typedef struct {
    vfloat mean, inverse;
} panel_moments;

INLINE panel_moments moments_of_panel(const float *panel, ptrdiff_t channels, float eps) {
    vfloat sums[4] = {0}, squares[4] = {0}; // four chains, for the latency of additions
    const float share = 1.0f / (float)channels;
    for (ptrdiff_t c = 0; c < channels; c++) sums[c % 4] += load(panel + c * MIX_COLUMNS);
    const vfloat mean = ((sums[0] + sums[1]) + (sums[2] + sums[3])) * share;
    for (ptrdiff_t c = 0; c < channels; c++) {
        const vfloat difference = load(panel + c * MIX_COLUMNS) - mean;
        squares[c % 4] += difference * difference;
    }
    const vfloat variance = ((squares[0] + squares[1]) + (squares[2] + squares[3])) * share;
    return (panel_moments){mean, 1.0f / __builtin_elementwise_sqrt(variance + eps)};
}

static void norm_biasfree_packed(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, float eps) {
    for (ptrdiff_t p = 0; p < pixels; p += LANES) {
        float *panel = panels + p / MIX_COLUMNS * MIX_COLUMNS * channels + p % MIX_COLUMNS;
        const vfloat inverse = moments_of_panel(panel, channels, eps).inverse;
        for (ptrdiff_t c = 0; c < channels; c++) {
            float *at = panel + c * MIX_COLUMNS;
            store(at, load(at) * (w[c] * inverse));
        }
    }
}

static void norm_affine_packed(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, const float *b,
                               float eps) {
    for (ptrdiff_t p = 0; p < pixels; p += LANES) {
        float *panel = panels + p / MIX_COLUMNS * MIX_COLUMNS * channels + p % MIX_COLUMNS;
        const panel_moments m = moments_of_panel(panel, channels, eps);
        for (ptrdiff_t c = 0; c < channels; c++) {
            float *at = panel + c * MIX_COLUMNS;
            store(at, (load(at) - m.mean) * (w[c] * m.inverse) + b[c]);
        }
    }
}
