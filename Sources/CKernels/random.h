// The counter-based generator, one position at a time; kernels/training.h computes the same bits in vectors.
//
// (key, row) is mixed once per row by the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014; constants of D. Stafford's variant 13), into two 32-bit words. A column
// is mixed between and after them by the 32-bit integer hash "lowbias32" (C. Wellons, "Prospecting for hash functions",
// 2018, public domain): a cipher of Even and Mansour's form in two rounds. Its only costly steps are four 32-bit
// multiplications.
#pragma once
#include <stdint.h>

static inline uint64_t dn_mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/// The words of one row: the low half enters before the first round, the high half before the second.
static inline uint64_t dn_row_words(uint64_t key, uint32_t row) {
    return dn_mix64(dn_mix64(key + 0x9e3779b97f4a7c15u) ^ row);
}
