// Normalisation of packed pixels in place.
//
// Channels that lie a power of two apart fall into the same few sets of every cache. A panel has its channels side by
// side, so it is read from memory once and then normalised where it stays, in the first cache level.
#pragma once
#include "mixing.h"

/// Mean and 1/√(variance + ε) of a panel's two vectors of pixels, two passes.
typedef struct {
    vfloat mean[2], inverse[2];
} panel_moments;

INLINE panel_moments moments_of_panel(const float *panel, ptrdiff_t channels, float eps) {
    // Two channels at a time: four chains, for the latency of additions.
    vfloat sums[4] = {0}, squares[4] = {0};
    const ptrdiff_t vectors_of_panel = 2 * channels, whole = vectors_of_panel / 4 * 4;
    for (ptrdiff_t i = 0; i < whole; i += 4)
        for (int k = 0; k < 4; k++) sums[k] += load(panel + (i + k) * LANES);
    for (ptrdiff_t k = 0; k < vectors_of_panel - whole; k++) sums[k] += load(panel + (whole + k) * LANES);
    const float share = 1.0f / (float)channels;
    const vfloat mean[2] = {(sums[0] + sums[2]) * share, (sums[1] + sums[3]) * share};
    for (ptrdiff_t i = 0; i < whole; i += 4)
        for (int k = 0; k < 4; k++) {
            const vfloat difference = load(panel + (i + k) * LANES) - mean[k % 2];
            squares[k] += difference * difference;
        }
    for (ptrdiff_t k = 0; k < vectors_of_panel - whole; k++) {
        const vfloat difference = load(panel + (whole + k) * LANES) - mean[k];
        squares[k] += difference * difference;
    }
    panel_moments m;
    for (int half = 0; half < 2; half++) {
        m.mean[half] = mean[half];
        const vfloat variance = (squares[half] + squares[half + 2]) * share;
        m.inverse[half] = 1.0f / __builtin_elementwise_sqrt(variance + eps);
    }
    return m;
}

static void norm_biasfree_packed(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, float eps) {
    for (ptrdiff_t p = 0; p < pixels; p += MIX_COLUMNS, panels += channels * MIX_COLUMNS) {
        const panel_moments m = moments_of_panel(panels, channels, eps);
        for (ptrdiff_t c = 0; c < channels; c++)
            for (int half = 0; half < 2; half++) {
                float *at = panels + c * MIX_COLUMNS + half * LANES;
                store(at, load(at) * (w[c] * m.inverse[half]));
            }
    }
}

static void norm_affine_packed(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, const float *b,
                               float eps) {
    for (ptrdiff_t p = 0; p < pixels; p += MIX_COLUMNS, panels += channels * MIX_COLUMNS) {
        const panel_moments m = moments_of_panel(panels, channels, eps);
        for (ptrdiff_t c = 0; c < channels; c++)
            for (int half = 0; half < 2; half++) {
                float *at = panels + c * MIX_COLUMNS + half * LANES;
                store(at, (load(at) - m.mean[half]) * (w[c] * m.inverse[half]) + b[c]);
            }
    }
}
