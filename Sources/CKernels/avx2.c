// Kernels in 32-byte vectors for x86-64 with AVX2 and FMA.
#if defined(__x86_64__)
#include "tables.h"
#include <immintrin.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VECTOR_BYTES 32
#define TABLE dn_kernels_avx2
#define TABLE_NAME "avx2"
#include "kernels/table.h"
#pragma clang attribute pop
#endif
