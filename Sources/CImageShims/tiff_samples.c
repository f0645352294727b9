#include <string.h>

#include "tiff_reader.h"

/// The `index`-th number of `bits` (1 to 15) bits in a row that is packed from the most significant bit on.
static uint32_t packed_sample(const uint8_t *source, size_t index, int bits) {
    size_t first = index * (size_t)bits;
    uint32_t value = 0;
    int have = 0;
    const uint8_t *next = source + first / 8;
    int skip = (int)(first % 8);
    while (have < bits + skip) {
        value = value << 8 | *next++;
        have += 8;
    }
    return (value >> (have - bits - skip)) & ((1u << bits) - 1);
}

/// An unsigned integer sample; libtiff has put 16, 24 and 32 bits into native byte order.
static uint32_t integer_sample(const uint8_t *source, size_t index, int bits) {
    switch (bits) {
        case 8: return source[index];
        case 16: {
            uint16_t value;
            memcpy(&value, source + 2 * index, sizeof value);
            return value;
        }
        case 24: {
            const uint8_t *b = source + 3 * index;
            if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
                return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;
            }
            return (uint32_t)b[2] | (uint32_t)b[1] << 8 | (uint32_t)b[0] << 16;
        }
        case 32: {
            uint32_t value;
            memcpy(&value, source + 4 * index, sizeof value);
            return value;
        }
        default: return packed_sample(source, index, bits);
    }
}

static float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3FF;
    uint32_t word;
    if (exponent == 0) {
        // Zero and subnormals: fraction · 2^-24 is exact in single precision.
        float magnitude = (float)fraction * 0x1p-24f;
        return sign != 0 ? -magnitude : magnitude;
    }
    word = exponent == 31 ? 0x7F800000u | fraction << 13 : (exponent + 112) << 23 | fraction << 13;
    word |= sign;
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static float float_sample(const uint8_t *source, size_t index, int bits) {
    if (bits == 16) {
        uint16_t half;
        memcpy(&half, source + 2 * index, sizeof half);
        return half_to_float(half);
    }
    if (bits == 64) {
        double value;
        memcpy(&value, source + 8 * index, sizeof value);
        return (float)value;
    }
    float value;
    memcpy(&value, source + 4 * index, sizeof value);
    return value;
}

void shim_unpack_samples(
    const ShimSampleLayout *layout, const uint8_t *source, size_t count, void *target, size_t stride) {
    if (layout->is_float) {
        float *out = target;
        for (size_t i = 0; i < count; i++) {
            out[i * stride] = float_sample(source, i, layout->bits);
        }
        return;
    }
    uint32_t out_max = layout->out_bits == 8 ? 0xFF : 0xFFFF;
    uint64_t in_max = layout->bits == 32 ? UINT32_MAX : (1u << layout->bits) - 1;
    int scaled = in_max != out_max;
    if (!scaled && !layout->invert && stride == 1) {
        memcpy(target, source, count * (size_t)layout->bits / 8);
        return;
    }
    uint8_t *out8 = target;
    uint16_t *out16 = target;
    for (size_t i = 0; i < count; i++) {
        uint32_t value = integer_sample(source, i, layout->bits);
        if (scaled) {
            value = (uint32_t)((value * (uint64_t)out_max + in_max / 2) / in_max);
        }
        if (layout->invert) {
            value = out_max - value;
        }
        if (layout->out_bits == 8) {
            out8[i * stride] = (uint8_t)value;
        } else {
            out16[i * stride] = (uint16_t)value;
        }
    }
}

void shim_unpack_palette(const ShimSampleLayout *layout, const uint8_t *source, size_t count, void *target) {
    const uint16_t *maps[3] = {layout->red, layout->green, layout->blue};
    uint8_t *out8 = target;
    uint16_t *out16 = target;
    for (size_t i = 0; i < count; i++) {
        uint32_t index = integer_sample(source, i, layout->bits);
        for (size_t c = 0; c < 3; c++) {
            uint16_t value = maps[c][index];
            if (layout->out_bits == 16) {
                out16[3 * i + c] = value;
            } else {
                out8[3 * i + c] = (uint8_t)(layout->palette_is_8bit ? value : value >> 8);
            }
        }
    }
}
