// The choice of a kernel table, made once.
#include "tables.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

static const dn_kernels *runnable[MOST]; // from the narrowest vectors to the widest
static int count;
static const dn_kernels *active;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void) {
    runnable[count++] = &dn_kernels_portable;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2) runnable[count++] = &dn_kernels_avx2;
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        runnable[count++] = &dn_kernels_avx512;
    if (runnable[count - 1] == &dn_kernels_avx512 && dn_may_use_tiles()) {
        static dn_kernels tiles;
        tiles = dn_kernels_avx512;
        dn_use_tiles(&tiles);
        runnable[count++] = &tiles;
    }
#endif
    active = runnable[count - 1];
    const char *wanted = getenv("DENOISED_KERNELS");
    for (int i = 0; wanted && i < count; i++)
        if (strcmp(runnable[i]->name, wanted) == 0) active = runnable[i];
}

const dn_kernels *dn_active_kernels(void) {
    pthread_once(&once, choose);
    return active;
}

const dn_kernels *dn_kernel_table(int index) {
    pthread_once(&once, choose);
    return index >= 0 && index < count ? runnable[index] : NULL;
}
