#pragma once

#include <stddef.h>

#include "shim_failure.h"

/// Writes every byte or records errno. 1 on success.
int shim_write_all(int file, const void *bytes, size_t count, ShimFailure *failure);
