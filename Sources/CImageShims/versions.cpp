#include "shim_child.h"

#include <cstdio>
#include <libraw/libraw.h>
#include <string>

#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#define SHIM_TEXT(value) SHIM_QUOTED(value)
#define SHIM_QUOTED(value) #value

// Only libjpeg-turbo cannot be asked at run time.
const char *shim_library_versions(void) {
    static const std::string text = [] {
        std::string tiff = TIFFGetVersion();
        tiff = tiff.substr(0, tiff.find('\n'));
        size_t number = tiff.find_last_of(' ');
        tiff = number == std::string::npos ? tiff : tiff.substr(number + 1);
        return std::string("LibRaw ") + libraw_version() + ", libtiff " + tiff + ", libpng " +
            png_get_libpng_ver(nullptr) + ", libjpeg-turbo " SHIM_TEXT(LIBJPEG_TURBO_VERSION);
    }();
    return text.c_str();
}
