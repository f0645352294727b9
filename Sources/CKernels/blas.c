// Matrix products by OpenBLAS, on one thread: the ceiling that `bench` compares with.
//
// Nothing else needs the library, and it is loaded only when asked for: its constructor starts a thread for each core, and
// each of these tries for ever to map 128 MiB, so that a process whose address space is limited neither works nor ends.
#include "CKernels.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

/// cblas_sgemm and its constants, as the reference CBLAS defines them.
typedef void sgemm_function(int layout, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a,
                            int lda, const float *b, int ldb, float beta, float *c, int ldc);
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };

/// What OpenBLAS maps for each product at a time.
static const size_t buffer = (size_t)128 << 20;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sgemm_function *sgemm;
static char *(*core_name)(void);

static void load(void) {
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    core_name = (char *(*)(void))dlsym(library, "openblas_get_corename");
    sgemm = (sgemm_function *)dlsym(library, "cblas_sgemm");
}

bool dn_blas_load(int products) {
    size_t bytes = buffer * (size_t)products;
    void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return false;
    munmap(room, bytes);
    pthread_once(&once, load);
    return sgemm != NULL && core_name != NULL;
}

void dn_sgemm(bool transpose_a, bool transpose_b, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, float alpha, const float *a,
              ptrdiff_t lda, const float *b, ptrdiff_t ldb, float beta, float *c, ptrdiff_t ldc) {
    sgemm(ROW_MAJOR, transpose_a ? TRANSPOSE : NO_TRANSPOSE, transpose_b ? TRANSPOSE : NO_TRANSPOSE, (int)m, (int)n,
          (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}

const char *dn_blas_name(void) { return core_name(); }
