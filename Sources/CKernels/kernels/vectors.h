// Vectors of one instruction set. The including file defines VECTOR_BYTES: 16, 32 or 64.
#pragma once
#include "../include/CKernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LANES (VECTOR_BYTES / 4)
#define INLINE static inline __attribute__((always_inline))

typedef float vfloat __attribute__((ext_vector_type(LANES)));
typedef float vtwice __attribute__((ext_vector_type(2 * LANES)));
typedef int32_t vint __attribute__((ext_vector_type(LANES)));
typedef uint32_t vuint __attribute__((ext_vector_type(LANES)));
typedef double vdouble __attribute__((ext_vector_type(LANES)));

INLINE ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/// Runs the statements for i = 0, LANES, 2·LANES … < n with `count` values each: LANES, known to the compiler, but for
/// the last.
#define EACH_VECTOR(i, n, ...)                                                                                      \
    do {                                                                                                            \
        ptrdiff_t i = 0;                                                                                            \
        for (; i + LANES <= (n); i += LANES) {                                                                      \
            const ptrdiff_t count = LANES;                                                                          \
            __VA_ARGS__                                                                                             \
        }                                                                                                           \
        if (i < (n)) {                                                                                              \
            const ptrdiff_t count = (n) - i;                                                                        \
            __VA_ARGS__                                                                                             \
        }                                                                                                           \
    } while (0)
