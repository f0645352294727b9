#include "random.h"
#include "CKernels.h"

static uint32_t mix32(uint32_t h) {
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return h ^ (h >> 16);
}

uint32_t dn_random_bits(uint64_t key, uint32_t row, uint32_t column) {
    const uint64_t words = dn_row_words(key, row);
    return mix32(mix32(column ^ (uint32_t)words) ^ (uint32_t)(words >> 32));
}
