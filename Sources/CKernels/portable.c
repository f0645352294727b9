// Kernels in 16-byte vectors, which every 64-bit machine has: SSE2 on x86-64, NEON on ARM.
#include "tables.h"

#define VECTOR_BYTES 16
#define TABLE dn_kernels_portable
#if defined(__aarch64__)
#define TABLE_NAME "neon"
#else
#define TABLE_NAME "portable"
#endif
#include "kernels/table.h"
