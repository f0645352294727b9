#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shim_failure.h"

/// What an APP1 segment begins with; each ends in a zero byte.
#define SHIM_JPEG_EXIF "Exif\0"
#define SHIM_JPEG_XMP "http://ns.adobe.com/xap/1.0/"

typedef struct ShimJPEGReader ShimJPEGReader;
typedef struct ShimJPEGWriter ShimJPEGWriter;

typedef struct {
    uint32_t width, height;
    int colour_channels;     ///< 1 or 3.
    const uint8_t *profile;  ///< ICC profile (APP2) or NULL; lives as long as the reader.
    size_t profile_count;
    const uint8_t *exif;  ///< EXIF block (APP1) after its "Exif\0\0", or NULL; lives until shim_jpeg_read.
    size_t exif_count;
    const uint8_t *xmp;  ///< XMP packet (another APP1), likewise.
    size_t xmp_count;
} ShimJPEGInfo;

/// Reads everything before the first scan. NULL on failure.
ShimJPEGReader *shim_jpeg_open(const void *bytes, size_t count, ShimJPEGInfo *info, ShimFailure *failure);
/// Decodes all rows to 8-bit grey or RGB. Damage that libjpeg would paper over with a warning is a failure.
int shim_jpeg_read(ShimJPEGReader *reader, uint8_t *pixels, size_t row_bytes, ShimFailure *failure);
void shim_jpeg_close(ShimJPEGReader *reader);

/// Starts a JPEG without chroma subsampling on the file descriptor `file`. NULL on failure.
ShimJPEGWriter *shim_jpeg_create(int file, const ShimJPEGInfo *info, int quality, ShimFailure *failure);
int shim_jpeg_write_row(ShimJPEGWriter *writer, const uint8_t *row, ShimFailure *failure);
/// Writes the end when `complete`, and frees the writer in every case. 1 on success.
int shim_jpeg_finish(ShimJPEGWriter *writer, int complete, ShimFailure *failure);
