// The tables that this build contains.
#pragma once
#include "CKernels.h"

extern const dn_kernels dn_kernels_portable; // 16-byte vectors: SSE2 or NEON
#if defined(__x86_64__)
extern const dn_kernels dn_kernels_avx2;   // 32-byte vectors, needs AVX2 and FMA
extern const dn_kernels dn_kernels_avx512; // 64-byte vectors, needs AVX-512 F, DQ, BW and VL
#endif
