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

/// Values of a 3×3 convolution's transformed weights and of what it works in.
typedef struct {
    ptrdiff_t weights, scratch;
} dn_convolution_sizes;

/// Block matching: the side of a block, samples from one reference block to the next, and samples that a block's likes
/// may lie away in each direction.
enum { DN_BLOCK_SIDE = 8, DN_BLOCK_STEP = 4, DN_BLOCK_REACH = 12 };

/// One instruction set's kernels. All tables compute the same functions; results may differ in the last bits.
typedef struct __attribute__((swift_attr("@Sendable"))) {
    const char *name; // "amx", "avx512", "avx2", "neon" or "portable"
    /// Relative error of one product in a sum: 2⁻²⁴, single precision's, or 2⁻¹⁷ of AMX's two pieces.
    float product_error;

    // ---- depthwise 3×3, one plane of h rows and w columns, zero padding of one pixel
    /// y[r] for rows r0 ≤ r < r1 of the output; `x` is the whole plane, `y` starts at row r0; w9 is row-major.
    void (*depthwise3x3)(const float *x, ptrdiff_t h, ptrdiff_t w, ptrdiff_t r0, ptrdiff_t r1, const float *w9, float bias,
                         float *y);
    /// dw9[k] += Σ_p g(p)·x(p+δ_k) over the whole plane. (The input gradient is depthwise3x3 of g with w9 reversed.)
    void (*depthwise3x3_weights)(const float *x, const float *g, ptrdiff_t h, ptrdiff_t w, float *dw9);

    /// The same for `rows` rows of many channels whose neighbours lie in one buffer: row r − 1 of the input begins at
    /// row_offsets[r], 0 ≤ r < rows + 2, in each channel of x, or is all zeros where that is negative; the values left and
    /// right of each row are read. y[c·y_stride + r·columns + i] is written; bias may be null.
    void (*depthwise3x3_band)(const float *x, ptrdiff_t x_stride, const ptrdiff_t *row_offsets, ptrdiff_t rows,
                              ptrdiff_t columns, ptrdiff_t channels, const float *w9, const float *bias, float *y,
                              ptrdiff_t y_stride);

    // ---- 1×1 convolution of packed operands
    /// Pixels of a panel.
    int mix_columns;
    /// Values of packed weights.
    ptrdiff_t (*packed_weights)(ptrdiff_t outputs, ptrdiff_t inputs);
    /// w[o·w_row + i·w_column]·row_scale[o]·column_scale[i] in the order in which `mix_packed` takes them. The scales may
    /// be null.
    void (*pack_weights)(const float *w, ptrdiff_t w_row, ptrdiff_t w_column, const float *row_scale,
                         const float *column_scale, ptrdiff_t outputs, ptrdiff_t inputs, float *packed);
    /// x[i·stride + p] for 0 ≤ p < pixels as [pixels/mix_columns][inputs][mix_columns], zeros behind the
    /// last pixel. The next call begins `ahead` values further; 0 where there is none.
    void (*pack_pixels)(const float *x, ptrdiff_t stride, ptrdiff_t inputs, ptrdiff_t pixels, ptrdiff_t ahead,
                        float *panels);
    /// The same of a matrix whose rows are the pixels, x[p·stride + i].
    void (*pack_transposed)(const float *x, ptrdiff_t stride, ptrdiff_t pixels, ptrdiff_t inputs, float *panels);
    /// y[o·y_stride + p] = Σ_i w[o, i]·x[i, p] + bias[o] + base[o·base_stride + p] for 0 ≤ p < pixels. `bias` and `base`
    /// may be null; `base` may be y with the same stride.
    void (*mix_packed)(const float *packed, const float *bias, ptrdiff_t outputs, ptrdiff_t inputs, const float *panels,
                       ptrdiff_t pixels, const float *base, ptrdiff_t base_stride, float *y, ptrdiff_t y_stride);

    // ---- dense 3×3 convolution with zero padding of one pixel
    dn_convolution_sizes (*convolution_sizes)(ptrdiff_t outputs, ptrdiff_t inputs);
    /// w [outputs, inputs, 3, 3] as the convolution takes them.
    void (*convolution_weights)(const float *w, ptrdiff_t outputs, ptrdiff_t inputs, float *u);
    /// The convolution of `images` planes of h rows and w columns, [inputs, images, h, w] to [outputs, images, h, w], plus
    /// bias[o] where it is not null; what is negative is multiplied by `slope`, which is 1 for no rectification.
    void (*convolution3x3)(const float *u, const float *bias, float slope, ptrdiff_t outputs, ptrdiff_t inputs,
                           const float *x, ptrdiff_t images, ptrdiff_t h, ptrdiff_t w, float *y, float *scratch);

    /// Values of what `convolution3x3_gradient` works in.
    ptrdiff_t (*convolution_gradient_scratch)(ptrdiff_t outputs, ptrdiff_t inputs);
    /// dw[o, i, u, v] += Σ_p g_o(p)·x_i(p + (u − 1, v − 1)) over all images: the weight gradient of the same.
    void (*convolution3x3_gradient)(const float *g, ptrdiff_t outputs, const float *x, ptrdiff_t inputs, ptrdiff_t images,
                                    ptrdiff_t h, ptrdiff_t w, float *dw, float *scratch);

    /// dw[o·dw_row + i] += Σ_p g[o·g_stride + p]·x[i·x_stride + p] over 0 ≤ p < pixels: the weight gradient of a
    /// 1×1 convolution.
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
    /// The same for packed pixels (`pack_pixels`), in place.
    void (*norm_biasfree_packed)(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, float eps);
    void (*norm_affine_packed)(float *panels, ptrdiff_t channels, ptrdiff_t pixels, const float *w, const float *b,
                               float eps);
    /// dx is overwritten, dw and db are added to.
    void (*norm_affine_backward)(const float *x, const float *g, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                                 const float *w, float eps, float *dx, float *dw, float *db);

    // ---- elementwise over n values; outputs may alias inputs of the same index
    void (*gelu)(const float *x, float *y, ptrdiff_t n);                                    // x·Φ(x), true erf
    /// The same; returns the sum of y. The next call's y begins `ahead` values further; 0 where there is none.
    float (*gelu_sum)(const float *x, float *y, ptrdiff_t n, ptrdiff_t ahead);
    void (*gelu_backward)(const float *x, const float *g, float *dx, ptrdiff_t n);          // g·(Φ(x)+xφ(x))
    void (*gelu_gate)(const float *a, const float *b, float *y, ptrdiff_t n);               // gelu(a)·b
    void (*gelu_gate_backward)(const float *a, const float *b, const float *g, float *da, float *db, ptrdiff_t n);
    // The same for channels `stride` apart, written as packed pixels (`pack_pixels`).
    void (*gelu_packed)(const float *x, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels, float *panels);
    void (*gelu_gate_packed)(const float *a, const float *b, ptrdiff_t stride, ptrdiff_t channels, ptrdiff_t pixels,
                             float *panels);
    void (*add)(const float *a, const float *b, float *y, ptrdiff_t n);                     // a + b
    void (*multiply)(const float *a, const float *b, float *y, ptrdiff_t n);                // a · b
    void (*axpy)(float s, const float *x, float *y, ptrdiff_t n);                           // y += s·x
    void (*scale_add)(const float *x, float s, const float *t, float *y, ptrdiff_t n);      // y = x + s·t
    void (*scale_offset)(const float *x, float s, float o, float *y, ptrdiff_t n);          // y = s·x + o
    void (*leaky_relu)(const float *x, float slope, float *y, ptrdiff_t n);                 // x > 0 ? x : slope·x
    void (*leaky_relu_backward)(const float *y, const float *g, float slope, float *dx, ptrdiff_t n); // y: forward output
    void (*select)(const float *mask, const float *a, const float *b, float *y, ptrdiff_t n); // m·a + (1−m)·b

    // ---- block matching, one plane of h rows and w columns
    /// Filters the reference blocks that begin in `row`, the last of which ends with it, each with its likes: by thresholds
    /// where `guide` is null, and blocks are compared in x itself; else by the guide's power, and compared in that.
    /// deviations[i] is the noise's of the block that begins in column DN_BLOCK_STEP·i or, the last, behind. Each block that
    /// comes of it is added to `sums`, times its weight, and that to `weights`: planes of w columns whose row 0 is x's
    /// row `first` ≤ row − DN_BLOCK_REACH (or 0), and which hold row + DN_BLOCK_REACH + DN_BLOCK_SIDE − 1 (or h − 1).
    void (*filter_block_row)(const float *x, const float *guide, ptrdiff_t h, ptrdiff_t w, ptrdiff_t row,
                             const float *deviations, ptrdiff_t first, float *sums, float *weights);

    // ---- rows and their phases; phase j is `count` values from phases + j·stride on
    /// phases[j·stride + i] = row[i·factor + j].
    void (*part_phases)(const float *row, ptrdiff_t factor, ptrdiff_t count, float *phases, ptrdiff_t stride);
    /// row[i·factor + j] = phases[j·stride + i] (+ base[i·factor + j]).
    void (*join_phases)(const float *phases, ptrdiff_t stride, ptrdiff_t factor, ptrdiff_t count, const float *base,
                        float *row);

    // ---- reductions over n values, in a fixed order of at least 16 partial sums
    float (*sum)(const float *x, ptrdiff_t n);
    float (*dot)(const float *a, const float *b, ptrdiff_t n);

    // ---- softmax over n ≥ 1 values
    /// y = exp(s·x)/Σ exp(s·x).
    void (*softmax)(const float *x, float s, float *y, ptrdiff_t n);
    /// dx = y⊙(g − Σ g⊙y): the gradient of s·x.
    void (*softmax_backward)(const float *y, const float *g, float *dx, ptrdiff_t n);

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

/// The table chosen for this machine, once: AMX, AVX-512, AVX2 with FMA, NEON or portable.
/// `DENOISED_KERNELS=portable` (or another name) in the environment forces one; an unknown name is ignored.
const dn_kernels *dn_active_kernels(void);
/// Every table this machine can run, for tests: index 0 ≤ i < count, null past the end.
const dn_kernels *dn_kernel_table(int index);

/// 32 uniform bits that depend on (key, row, column) alone: a counter-based generator, so that masks do not depend on
/// the order of tiles or threads. Passes statistical tests between neighbouring rows, columns and keys.
uint32_t dn_random_bits(uint64_t key, uint32_t row, uint32_t column);

// ---- matrix products by OpenBLAS, which must have been loaded
/// Loads the library for so many products at a time; false where it is not installed, or the address space has no room
/// for the 128 MiB that it maps for each.
bool dn_blas_load(int products);
/// C = α·op(A)·op(B) + β·C, row-major, single-threaded OpenBLAS; op transposes where the flag is set.
/// m, n: size of C; k: the summed dimension; lda, ldb, ldc: row lengths as stored.
void dn_sgemm(bool transpose_a, bool transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a,
              ptrdiff_t lda, const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc);
/// The name of OpenBLAS' kernels in use ("Haswell", "SkylakeX", …).
const char *dn_blas_name(void);

#ifdef __cplusplus
}
#endif
