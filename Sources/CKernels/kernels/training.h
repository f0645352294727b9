// The optimiser's step, the masked loss and random masks.
#pragma once
#include "memory.h"
#include "../random.h"

static void adamw(float *p, float *m, float *v, const float *g, ptrdiff_t n, float lr, float decay, float beta1,
                  float beta2, float eps, float step, float root) {
    const float keep = 1 - lr * decay, fresh1 = 1 - beta1, fresh2 = 1 - beta2, inverse_root = 1 / root;
    EACH_VECTOR(i, n, {
        const vfloat gradient = get(g + i, count);
        const vfloat first = beta1 * get(m + i, count) + fresh1 * gradient;
        const vfloat second = beta2 * get(v + i, count) + fresh2 * gradient * gradient;
        const vfloat change = first / (__builtin_elementwise_sqrt(second) * inverse_root + eps);
        put(m + i, first, count);
        put(v + i, second, count);
        put(p + i, keep * get(p + i, count) - step * change, count);
    });
}

static double masked_l1(const float *o, const float *t, const float *m, float scale, float *gradient, ptrdiff_t n) {
    vdouble total = 0;
    EACH_VECTOR(i, n, {
        const vfloat difference = get(o + i, count) - get(t + i, count);
        const vfloat mask = get(m + i, count);
        total += __builtin_convertvector(magnitude(difference) * mask, vdouble);
        if (gradient) {
            const vfloat size = scale * mask;
            put(gradient + i, difference > 0 ? size : difference < 0 ? -size : (vfloat)0, count);
        }
    });
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += total[i];
    return sum;
}

INLINE vuint mix_columns(vuint h) {
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) * 0x846ca68bu;
    return h ^ (h >> 16);
}

static void random_mask(uint64_t key, uint32_t row, uint32_t column0, ptrdiff_t n, uint32_t threshold, float *y) {
    const uint64_t words = dn_row_words(key, row);
    const vuint before = (uint32_t)words, between = (uint32_t)(words >> 32);
    const vuint lane = (vuint)lane_numbers();
    EACH_VECTOR(i, n, {
        const vuint column = lane + (column0 + (uint32_t)i);
        const vuint bits = mix_columns(mix_columns(column ^ before) ^ between);
        put(y + i, bits < threshold ? (vfloat)1 : (vfloat)0, count);
    });
}
