// C and C++ image libraries behind plain C functions: no long jump, exception or abort leaves this target.
//
// Every reader works on a block of memory that the caller keeps alive until it closes the reader. Opening reads the
// header only, so that the caller can check limits and allocate before anything is decoded.
#pragma once

#include "shim_child.h"
#include "shim_failure.h"
#include "shim_files.h"
#include "shim_jpeg.h"
#include "shim_png.h"
#include "shim_profile.h"
#include "shim_raw.h"
#include "shim_tiff.h"
