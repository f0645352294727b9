// Kernels in 64-byte vectors with products by matrix tiles, for x86-64 with AMX.
#if defined(__x86_64__)
#define _GNU_SOURCE
#include "tables.h"
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AMX "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,amx-tile,amx-bf16,prfchw"
#pragma clang attribute push(__attribute__((target(AMX))), apply_to = function)
#define VECTOR_BYTES 64
#include "kernels/tiles_convolution.h"
#include "kernels/tiles_mixing.h"
#include "kernels/tiles_weights.h"
#pragma clang attribute pop

void dn_use_tiles(dn_kernels *table) {
    table->name = "amx";
    table->product_error = 0x1p-17f;
    table->packed_weights = tiles_packed_weights;
    table->pack_weights = tiles_pack_weights;
    table->mix_packed = tiles_mix_packed;
    table->mix_channels_weights = tiles_mix_channels_weights;
    table->convolution_gradient_scratch = tiles_gradient_scratch;
    table->convolution3x3_gradient = tiles_convolution_gradient;
}

bool dn_may_use_tiles(void) {
    enum { PERMIT = 0x1023, TILE_DATA = 18 }; // ARCH_REQ_XCOMP_PERM; the state component that Linux grants on request
    return __builtin_cpu_supports("amx-bf16") && syscall(SYS_arch_prctl, PERMIT, TILE_DATA) == 0;
}
#endif
