// Single-precision kernels for what a matrix product cannot do, each in several instruction sets.
//
// Activations are channel-major planes: element (c, b, y, x) of a tensor of C channels, B images, H rows and W columns
// lies at ((c·B + b)·H + y)·W + x. "Pixels" are the B·H·W positions of one channel; `stride` is the distance between
// two channels of one pixel. No kernel allocates, and none reads or writes outside of what its comment names.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One instruction set's kernels. All tables compute the same functions; results may differ in the last bits.
typedef struct __attribute__((swift_attr("@Sendable"))) {
    const char *name; // "avx512", "avx2", "neon" or "portable"

    // ---- depthwise 3×3, one plane of h rows and w columns, zero padding of one pixel
    /// y[r] for rows r0 ≤ r < r1 of the output; `x` is the whole plane, `y` starts at row r0; w9 is row-major.
    void (*depthwise3x3)(const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t r0, ptrdiff_t r1, const float *w9, float bias,
                         float *y);
    /// dw9[k] += Σ_p g(p)·x(p+δ_k) over the whole plane. (The input gradient is depthwise3x3 of g with w9 reversed.)
    void (*depthwise3x3_weights)(const float *x, const float *g, ptrdiff_t h, ptrdiff_t w, float *dw9);

    // ---- 1×1 convolution
    /// y[o][p] = Σ_i w[o·w_row + i·w_column]·x[i·x_stride + p] + bias[o] for 0 ≤ p < pixels, added to y where `adding`.
    /// `bias` may be null; `scratch` holds dn_mix_scratch(outputs, inputs) values; y must not overlap x.
    void (*mix_channels)(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, const float *bias, ptrdiff_t outputs,
                         ptrdiff_t inputs, const float *x, ptrdiff_t x_stride, float *y, ptrdiff_t y_stride,
                         ptrdiff_t pixels, bool adding, float *scratch);

    /// dw[o·dw_row + i] += Σ_p g[o·g_stride + p]·x[i·x_stride + p] over 0 ≤ p < pixels: its weight gradient.
    void (*mix_channels_weights)(const float *g, ptrdiff_t g_stride, ptrdiff_t outputs, const float *x, ptrdiff_t x_stride,
                                 ptrdiff_t inputs, ptrdiff_t pixels, float *dw, ptrdiff_t dw_row);

    // ---- normalisation over the channels of each pixel (population variance, two passes)
    /// y = w·x/√(var+ε): the mean stays in the numerator (Restormer).
    void (*norm_biasfree)(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, const float *w, float eps,
                          float *y, ptrdiff_t y_stride);
    /// dx is overwritten, dw is added to. spec E: dx_c = w_c g_c/S − (x_c−μ)/(C·S³)·Σ_j w_j g_j x_j; dw_c = Σ g_c x_c/S.
    void (*norm_biasfree_backward)(const float *x, const float *g, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                                   const float *w, float eps, float *dx, float *dw);
    /// y = w·(x−μ)/√(var+ε) + b (NAFNet's LayerNorm2d).
    void (*norm_affine)(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, const float *w,
                        const float *b, float eps, float *y, ptrdiff_t y_stride);
    /// dx is overwritten, dw and db are added to.
    void (*norm_affine_backward)(const float *x, const float *g, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                                 const float *w, float eps, float *dx, float *dw, float *db);

    // ---- elementwise over n values; outputs may alias inputs of the same index
    void (*gelu)(const float *x, float *y, ptrdiff_t n);                                    // x·Φ(x), true erf
    void (*gelu_backward)(const float *x, const float *g, float *dx, ptrdiff_t n);          // g·(Φ(x)+xφ(x))
    void (*gelu_gate)(const float *a, const float *b, float *y, ptrdiff_t n);               // gelu(a)·b
    void (*gelu_gate_backward)(const float *a, const float *b, const float *g, float *da, float *db, ptrdiff_t n);
    void (*add)(const float *a, const float *b, float *y, ptrdiff_t n);                     // a + b
    void (*multiply)(const float *a, const float *b, float *y, ptrdiff_t n);                // a · b
    void (*axpy)(float s, const float *x, float *y, ptrdiff_t n);                           // y += s·x
    void (*scale_add)(const float *x, float s, const float *t, float *y, ptrdiff_t n);      // y = x + s·t
    void (*scale_offset)(const float *x, float s, float o, float *y, ptrdiff_t n);          // y = s·x + o
    void (*leaky_relu)(const float *x, float slope, float *y, ptrdiff_t n);                 // x > 0 ? x : slope·x
    void (*leaky_relu_backward)(const float *y, const float *g, float slope, float *dx, ptrdiff_t n); // y: forward output
    void (*select)(const float *mask, const float *a, const float *b, float *y, ptrdiff_t n); // m·a + (1−m)·b

    // ---- reductions over n values, in a fixed order of at least 16 partial sums
    float (*sum)(const float *x, ptrdiff_t n);
    float (*dot)(const float *a, const float *b, ptrdiff_t n);

    // ---- training
    /// AdamW: m ← β1 m + (1−β1)g, v ← β2 v + (1−β2)g², p ← p(1−lr·decay) − step·m/(√v/root + ε), where
    /// step = lr/(1−β1ᵗ) and root = √(1−β2ᵗ).
    void (*adamw)(float *p, float *m, float *v, const float *g, ptrdiff_t n, float lr, float decay, float beta1, float beta2,
                  float eps, float step, float root);
    /// Σ |o−t|·m; gradient (when not null) = scale·sign(o−t)·m with sign(0) = 0. The sum is kept in double.
    double (*masked_l1)(const float *o, const float *t, const float *m, float scale, float *gradient, ptrdiff_t n);
    /// y[i] = 1 where position (row, column0 + i) draws a value below `threshold`, else 0; see `dn_random_bits`.
    void (*random_mask)(uint64_t key, uint32_t row, uint32_t column0, ptrdiff_t n, uint32_t threshold, float *y);
} dn_kernels;

/// The table chosen for this machine, once: AVX-512, AVX2 with FMA, NEON or portable.
/// `DENOISED_KERNELS=portable` (or another name) in the environment forces one; an unknown name is ignored.
const dn_kernels *dn_active_kernels(void);
/// Every table this machine can run, for tests: index 0 ≤ i < count, null past the end.
const dn_kernels *dn_kernel_table(int index);

/// Values of a panel of pixels that `mix_channels` keeps in the first-level cache.
#define DN_MIX_PANEL 12288

/// Scratch values that `mix_channels` needs, for every table.
static inline ptrdiff_t dn_mix_scratch(ptrdiff_t outputs, ptrdiff_t inputs) {
    const ptrdiff_t least_panel = 32 * inputs;
    return (outputs + 12) * inputs + (least_panel > DN_MIX_PANEL ? least_panel : DN_MIX_PANEL);
}

/// 32 uniform bits that depend on (key, row, column) alone: a counter-based generator, so that masks do not depend on
/// the order of tiles or threads. Passes statistical tests between neighbouring rows, columns and keys.
uint32_t dn_random_bits(uint64_t key, uint32_t row, uint32_t column);

// ---- matrix products
/// C = α·op(A)·op(B) + β·C, row-major, single-threaded OpenBLAS; op transposes where the flag is set.
/// m, n: size of C; k: the summed dimension; lda, ldb, ldc: row lengths as stored.
void dn_sgemm(bool transpose_a, bool transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a,
              ptrdiff_t lda, const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc);
/// The name of OpenBLAS' kernels in use ("Haswell", "SkylakeX", …).
const char *dn_blas_name(void);

#ifdef __cplusplus
}
#endif
