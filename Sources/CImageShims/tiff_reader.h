#pragma once

#include <tiffio.h>

#include "shim_tiff.h"

/// How the samples of one row become samples of the caller's buffer.
typedef struct {
    int bits;            ///< Stored bits of one sample.
    int is_float;        ///< Stored as IEEE floating point.
    int out_bits;        ///< 8, 16 or 32 (float).
    int invert;          ///< 0 is white.
    const uint16_t *red, *green, *blue;  ///< Palette of 2^bits entries, or NULL.
    int palette_is_8bit;                 ///< The palette holds 0…255 in place of 0…65535.
} ShimSampleLayout;

struct ShimTIFFReader {
    TIFF *tiff;
    const uint8_t *bytes;
    size_t count;
    uint64_t position;
    size_t memory_limit;
    ShimTIFFInfo info;
    ShimSampleLayout layout;
    int samples_per_pixel, separate;
    int reading_pixels;
    int code;  ///< SHIM_MALFORMED unless a message says otherwise.
    ShimFailure *failure;
};

/// Unpacks `count` samples of one row into `target`, `stride` samples apart.
void shim_unpack_samples(
    const ShimSampleLayout *layout, const uint8_t *source, size_t count, void *target, size_t stride);
/// Looks up `count` palette indices of one row and writes them as RGB.
void shim_unpack_palette(const ShimSampleLayout *layout, const uint8_t *source, size_t count, void *target);
/// Decodes the pixels by libtiff's own colour conversion to 8 bits.
int shim_tiff_read_converted(ShimTIFFReader *reader, uint8_t *pixels, size_t row_bytes);
