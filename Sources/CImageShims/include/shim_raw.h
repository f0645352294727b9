#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shim_failure.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ShimRAWReader ShimRAWReader;

/// What LibRaw knows of a photograph before it decodes it. Texts are C strings; unknown ones are empty, numbers 0.
typedef struct {
    uint32_t width, height;          ///< Of the developed image, upright.
    uint32_t raw_width, raw_height;  ///< Of the sensor data, margins included.
    int bits;                        ///< Of a sensor sample.
    char make[64], model[64], lens[128];
    double iso, exposure, aperture;
    char captured_at[24];  ///< "YYYY:MM:DD HH:MM:SS".
    int has_location;
    double latitude, longitude, altitude;  ///< Degrees north and east, metres above the sea.
} ShimRAWInfo;

/// Identifies the camera and reads its metadata. LibRaw may take up to `memory_limit` bytes. NULL on failure.
ShimRAWReader *shim_raw_open(
    const void *bytes, size_t count, size_t memory_limit, ShimRAWInfo *info, ShimFailure *failure);
/// Develops the sensor data; afterwards `width`, `height` and `channels` (1 or 3) are final. 1 on success.
int shim_raw_develop(ShimRAWReader *reader, uint32_t *width, uint32_t *height, int *channels, ShimFailure *failure);
/// Copies the developed image, 16-bit samples, `row_bytes` apart. 1 on success.
int shim_raw_copy(ShimRAWReader *reader, uint16_t *pixels, size_t row_bytes, ShimFailure *failure);
void shim_raw_close(ShimRAWReader *reader);

#ifdef __cplusplus
}
#endif
