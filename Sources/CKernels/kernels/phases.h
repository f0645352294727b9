// The phases of a row: each `factor`-th value, taken apart and joined again.
#pragma once
#include "memory.h"

static void part_phases(const float *row, ptrdiff_t factor, ptrdiff_t count, float *phases, ptrdiff_t stride) {
    ptrdiff_t first = 0;
    for (; factor == 2 && first + LANES <= count; first += LANES) {
        const vpair both = apart(load(row + 2 * first), load(row + 2 * first + LANES));
        store(phases + first, both.first);
        store(phases + stride + first, both.second);
    }
    for (ptrdiff_t j = 0; j < factor; j++)
        for (ptrdiff_t i = first; i < count; i++) phases[j * stride + i] = row[i * factor + j];
}

static void join_phases(const float *phases, ptrdiff_t stride, ptrdiff_t factor, ptrdiff_t count, const float *base,
                        float *row) {
    ptrdiff_t first = 0;
    for (; factor == 2 && first + LANES <= count; first += LANES) {
        const vpair both = together(load(phases + first), load(phases + stride + first));
        float *to = row + 2 * first;
        store(to, base ? both.first + load(base + 2 * first) : both.first);
        store(to + LANES, base ? both.second + load(base + 2 * first + LANES) : both.second);
    }
    for (ptrdiff_t j = 0; j < factor; j++)
        for (ptrdiff_t i = first; i < count; i++)
            row[i * factor + j] = phases[j * stride + i] + (base ? base[i * factor + j] : 0);
}
