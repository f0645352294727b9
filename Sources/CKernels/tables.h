// The tables that this build contains.
#pragma once
#include "CKernels.h"

extern const dn_kernels dn_kernels_portable; // 16-byte vectors: SSE2 or NEON
#if defined(__x86_64__)
extern const dn_kernels dn_kernels_avx2;   // 32-byte vectors, needs AVX2 and FMA
extern const dn_kernels dn_kernels_avx512; // 64-byte vectors, needs AVX-512 F, DQ, BW and VL

/// Whether this machine has AMX's tiles and Linux lets this process use them; asks for the permission.
bool dn_may_use_tiles(void);
/// Makes the products of the AVX-512 table those by tiles.
void dn_use_tiles(dn_kernels *table);
#endif
