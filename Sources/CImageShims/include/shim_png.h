#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shim_failure.h"

/// Keyword of the iTXt chunk that holds an XMP packet.
#define SHIM_PNG_XMP "XML:com.adobe.xmp"

typedef struct ShimPNGReader ShimPNGReader;
typedef struct ShimPNGWriter ShimPNGWriter;

/// The chunks that say what the sample values mean beside an ICC profile, as stored: gamma and chromaticities are
/// multiplied by 100,000.
typedef struct {
    int has_gamma, has_chromaticities, has_intent;
    int32_t gamma;
    int32_t chromaticities[8];
    int32_t intent;
} ShimPNGColorimetry;

/// A PNG header after expansion: palettes become RGB, transparency becomes alpha, 1, 2 and 4 bits become 8.
typedef struct {
    uint32_t width, height;
    int source_bits;         ///< 1, 2, 4, 8 or 16, as stored.
    int bits;                ///< 8 or 16, as decoded.
    int colour_channels;     ///< 1 or 3.
    int alpha;               ///< 1 when a last channel holds alpha.
    const uint8_t *profile;  ///< ICC profile or NULL; lives as long as the reader.
    size_t profile_count;
    ShimPNGColorimetry colorimetry;
    const uint8_t *exif, *xmp;  ///< For writing: EXIF block and XMP packet, or NULL.
    size_t exif_count, xmp_count;
} ShimPNGInfo;

/// Reads everything before the pixels. NULL on failure. Samples are never changed by gamma.
ShimPNGReader *shim_png_open(const void *bytes, size_t count, ShimPNGInfo *info, ShimFailure *failure);
/// Decodes all rows, native byte order, `row_bytes` apart, and reads to the end of the file. 1 on success.
int shim_png_read(ShimPNGReader *reader, void *pixels, size_t row_bytes, ShimFailure *failure);
/// The eXIf block, which may follow the pixels: call after `shim_png_read`. NULL when there is none.
const uint8_t *shim_png_exif(ShimPNGReader *reader, size_t *count);
/// The XMP packet (iTXt), likewise.
const uint8_t *shim_png_xmp(ShimPNGReader *reader, size_t *count);
void shim_png_close(ShimPNGReader *reader);

/// Starts a PNG on the file descriptor `file`. `info` describes the rows that follow; NULL on failure.
ShimPNGWriter *shim_png_create(int file, const ShimPNGInfo *info, ShimFailure *failure);
/// Writes one row in native byte order. 1 on success.
int shim_png_write_row(ShimPNGWriter *writer, const void *row, ShimFailure *failure);
/// Writes the end when `complete`, and frees the writer in every case. 1 on success.
int shim_png_finish(ShimPNGWriter *writer, int complete, ShimFailure *failure);
