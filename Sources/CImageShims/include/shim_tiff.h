#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shim_failure.h"

typedef struct ShimTIFFReader ShimTIFFReader;
typedef struct ShimTIFFWriter ShimTIFFWriter;

enum {
    /// Channels beyond the colour that are kept.
    SHIM_TIFF_MAX_EXTRA = 8
};

/// The first full-size image of a TIFF, as it will be decoded.
typedef struct {
    uint32_t width, height;
    int source_bits;      ///< As stored.
    int bits;             ///< 8, 16 or, for floating point, 32, as decoded.
    int colour_channels;  ///< 1 or 3.
    int extra_channels;
    uint16_t extra_kinds[SHIM_TIFF_MAX_EXTRA];  ///< TIFF's ExtraSamples: 0 unspecified, 1 premultiplied alpha, 2 alpha.
    int orientation;                            ///< 1 to 8.
    int converted;  ///< 1 when libtiff converts the colour space (CMYK, YCbCr, Lab, LogLuv).
    int is_uncompressed;  ///< For writing: 1 leaves samples as they are, 0 deflates them.
    int pages;      ///< Images in the file, reduced ones included.
    const uint8_t *profile;                     ///< ICC profile or NULL; lives as long as the reader.
    size_t profile_count;
    const uint8_t *xmp;  ///< XMP packet, likewise.
    size_t xmp_count;
} ShimTIFFInfo;

/// Camera data that a TIFF stores beside its image; NULL or 0 where unknown.
typedef struct {
    const char *make, *model, *lens;
    const char *captured_at;  ///< "YYYY:MM:DD HH:MM:SS".
    double exposure, aperture, iso;
    int has_location, has_altitude;
    char latitude_side, longitude_side;  ///< 'N' or 'S', 'E' or 'W'.
    double latitude[3], longitude[3];    ///< Degrees, minutes, seconds.
    double altitude;                     ///< Metres above the sea.
} ShimTIFFCamera;

/// Reads the directory. No single allocation of libtiff may exceed `memory_limit` bytes. NULL on failure.
ShimTIFFReader *shim_tiff_open(
    const void *bytes, size_t count, size_t memory_limit, ShimTIFFInfo *info, ShimFailure *failure);
/// Decodes all rows, interleaved, native byte order, `row_bytes` apart. 1 on success.
int shim_tiff_read(ShimTIFFReader *reader, void *pixels, size_t row_bytes, ShimFailure *failure);
void shim_tiff_close(ShimTIFFReader *reader);

/// Starts a deflate-compressed TIFF on the file descriptor `file`, which must be readable as well. NULL on failure.
ShimTIFFWriter *shim_tiff_create(
    int file, const ShimTIFFInfo *info, const ShimTIFFCamera *camera, ShimFailure *failure);
/// Writes the next row. 1 on success.
int shim_tiff_write_row(ShimTIFFWriter *writer, const void *row, ShimFailure *failure);
/// Writes the directories when `complete`, and frees the writer in every case. 1 on success.
int shim_tiff_finish(ShimTIFFWriter *writer, int complete, const ShimTIFFCamera *camera, ShimFailure *failure);
