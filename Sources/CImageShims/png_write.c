#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim_png.h"
#include "sink.h"

struct ShimPNGWriter {
    png_structp png;
    png_infop info;
    int file;
    ShimFailure *failure;
    /// The XMP packet as libpng wants it; kept here, so that it is freed whatever long jump is taken.
    char *xmp;
};

static void on_error(png_structp png, png_const_charp message) {
    ShimPNGWriter *writer = png_get_error_ptr(png);
    shim_fail(writer->failure, SHIM_INTERNAL, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void drain(png_structp png, png_bytep bytes, size_t count) {
    ShimPNGWriter *writer = png_get_io_ptr(png);
    if (!shim_write_all(writer->file, bytes, count, writer->failure)) {
        png_error(png, "writing failed");
    }
}

static void flush(png_structp png) {
    (void)png;
}

static void set_colour(ShimPNGWriter *writer, const ShimPNGInfo *info) {
    const ShimPNGColorimetry *colorimetry = &info->colorimetry;
    const int32_t *c = colorimetry->chromaticities;
    if (info->profile != NULL) {
        png_set_iCCP(
            writer->png, writer->info, "ICC profile", PNG_COMPRESSION_TYPE_BASE, info->profile,
            (png_uint_32)info->profile_count);
    } else if (colorimetry->has_intent) {
        png_set_sRGB(writer->png, writer->info, colorimetry->intent);
    }
    if (colorimetry->has_gamma) {
        png_set_gAMA_fixed(writer->png, writer->info, colorimetry->gamma);
    }
    if (colorimetry->has_chromaticities) {
        png_set_cHRM_fixed(writer->png, writer->info, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]);
    }
}

/// libpng copies the packet, but wants it to end in a zero byte.
static void set_xmp(ShimPNGWriter *writer, const ShimPNGInfo *info) {
    writer->xmp = malloc(info->xmp_count + 1);
    if (writer->xmp == NULL) {
        png_error(writer->png, "memory is exhausted");
    }
    memcpy(writer->xmp, info->xmp, info->xmp_count);
    writer->xmp[info->xmp_count] = 0;
    char keyword[] = SHIM_PNG_XMP, none[] = "";
    png_text chunk = {.compression = PNG_ITXT_COMPRESSION_NONE, .key = keyword, .text = writer->xmp, .lang = none, .lang_key = none};
    png_set_text(writer->png, writer->info, &chunk, 1);
}

static void write_header(ShimPNGWriter *writer, const ShimPNGInfo *info) {
    int type = info->colour_channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
    if (info->alpha) {
        type |= PNG_COLOR_MASK_ALPHA;
    }
    // Profiles and gamma are copied as they came; libpng's opinion of them must not stop the image.
    png_set_benign_errors(writer->png, 1);
    png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(writer->png, writer, drain, flush);
    png_set_IHDR(
        writer->png, writer->info, info->width, info->height, info->bits, type, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_colour(writer, info);
    if (info->exif != NULL) {
        // libpng copies the block; its parameter merely lacks `const`.
        png_set_eXIf_1(writer->png, writer->info, (png_uint_32)info->exif_count, (png_bytep)(uintptr_t)info->exif);
    }
    if (info->xmp != NULL) {
        set_xmp(writer, info);
    }
    png_write_info(writer->png, writer->info);
    if (info->bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        png_set_swap(writer->png);
    }
}

ShimPNGWriter *shim_png_create(int file, const ShimPNGInfo *info, ShimFailure *failure) {
    ShimPNGWriter *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    writer->file = file;
    writer->failure = failure;
    writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
    writer->info = writer->png != NULL ? png_create_info_struct(writer->png) : NULL;
    if (writer->info == NULL || setjmp(png_jmpbuf(writer->png)) != 0) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        shim_png_finish(writer, 0, failure);
        return NULL;
    }
    write_header(writer, info);
    return writer;
}

int shim_png_write_row(ShimPNGWriter *writer, const void *row, ShimFailure *failure) {
    writer->failure = failure;
    if (setjmp(png_jmpbuf(writer->png)) != 0) {
        return 0;
    }
    png_write_row(writer->png, row);
    return 1;
}

int shim_png_finish(ShimPNGWriter *writer, int complete, ShimFailure *failure) {
    writer->failure = failure;
    // Set between setjmp and a possible long jump, hence volatile.
    volatile int written = 0;
    if (complete && setjmp(png_jmpbuf(writer->png)) == 0) {
        // Without the info structure, or libpng 1.6 writes the eXIf chunk a second time.
        png_write_end(writer->png, NULL);
        written = 1;
    }
    png_destroy_write_struct(&writer->png, &writer->info);
    free(writer->xmp);
    free(writer);
    return written;
}
