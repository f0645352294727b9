#pragma once

#include <stddef.h>
#include <stdint.h>

/// Writes an sRGB ICC profile with a fixed date, so that equal input gives equal output. Returns its size, 0 on
/// failure; writes nothing when `capacity` is too small.
size_t shim_srgb_profile(uint8_t *bytes, size_t capacity);
