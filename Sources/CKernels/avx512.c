// Kernels in 64-byte vectors for x86-64 with AVX-512.
#if defined(__x86_64__)
#include "tables.h"
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))),                   \
                             apply_to = function)
#define VECTOR_BYTES 64
#define TABLE dn_kernels_avx512
#define TABLE_NAME "avx512"
#include "kernels/table.h"
#pragma clang attribute pop
#endif
