#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "shim_png.h"

struct ShimPNGReader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, position;
    uint32_t height;
    ShimFailure *failure;
};

/// Room for one ancillary chunk: the largest ICC profiles in use take a few megabytes.
static const png_alloc_size_t chunk_limit = 16u << 20;

static void on_error(png_structp png, png_const_charp message) {
    ShimPNGReader *reader = png_get_error_ptr(png);
    int memory = strstr(message, "emory") != NULL;
    shim_fail(reader->failure, memory ? SHIM_NO_MEMORY : SHIM_MALFORMED, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void supply(png_structp png, png_bytep target, size_t wanted) {
    ShimPNGReader *reader = png_get_io_ptr(png);
    if (wanted > reader->count - reader->position) {
        png_error(png, "the file ends before the image does");
    }
    memcpy(target, reader->bytes + reader->position, wanted);
    reader->position += wanted;
}

static void describe_colour(ShimPNGReader *reader, ShimPNGInfo *info) {
    png_charp name;
    int compression;
    png_bytep profile;
    png_uint_32 profile_count;
    if (png_get_iCCP(reader->png, reader->info, &name, &compression, &profile, &profile_count) != 0) {
        info->profile = profile;
        info->profile_count = profile_count;
    }
    ShimPNGColorimetry *colorimetry = &info->colorimetry;
    int32_t *c = colorimetry->chromaticities;
    colorimetry->has_gamma = png_get_gAMA_fixed(reader->png, reader->info, &colorimetry->gamma) != 0;
    colorimetry->has_chromaticities =
        png_get_cHRM_fixed(
            reader->png, reader->info, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7]) != 0;
    colorimetry->has_intent = png_get_sRGB(reader->png, reader->info, &colorimetry->intent) != 0;
}

/// Asks for the expansions that `ShimPNGInfo` promises and describes their result.
static void describe(ShimPNGReader *reader, ShimPNGInfo *info) {
    png_structp png = reader->png;
    int bits, type, interlace;
    png_uint_32 width, height;
    png_get_IHDR(png, reader->info, &width, &height, &bits, &type, &interlace, NULL, NULL);
    int transparent = png_get_valid(png, reader->info, PNG_INFO_tRNS) != 0;
    info->width = width;
    info->height = height;
    info->source_bits = bits;
    info->bits = bits == 16 ? 16 : 8;
    info->colour_channels = (type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    info->alpha = (type & PNG_COLOR_MASK_ALPHA) != 0 || transparent;
    reader->height = height;
    describe_colour(reader, info);
    png_set_expand(png);
    if (bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        png_set_swap(png);
    }
}

ShimPNGReader *shim_png_open(const void *bytes, size_t count, ShimPNGInfo *info, ShimFailure *failure) {
    memset(info, 0, sizeof *info);
    ShimPNGReader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    reader->bytes = bytes;
    reader->count = count;
    reader->failure = failure;
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
    reader->info = reader->png != NULL ? png_create_info_struct(reader->png) : NULL;
    if (reader->info == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        shim_png_close(reader);
        return NULL;
    }
    if (setjmp(png_jmpbuf(reader->png)) != 0) {
        shim_png_close(reader);
        return NULL;
    }
    // The caller knows the size limits and names them in its message, so libpng must let the header pass.
    png_set_user_limits(reader->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_cache_max(reader->png, 256);
    png_set_chunk_malloc_max(reader->png, chunk_limit);
    png_set_read_fn(reader->png, reader, supply);
    png_read_info(reader->png, reader->info);
    describe(reader, info);
    return reader;
}

int shim_png_read(ShimPNGReader *reader, void *pixels, size_t row_bytes, ShimFailure *failure) {
    reader->failure = failure;
    if (setjmp(png_jmpbuf(reader->png)) != 0) {
        return 0;
    }
    int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    if (png_get_rowbytes(reader->png, reader->info) != row_bytes) {
        return shim_fail(failure, SHIM_INTERNAL, "libpng expands rows to another size than announced");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (uint32_t row = 0; row < reader->height; row++) {
            png_read_row(reader->png, (png_bytep)pixels + row * row_bytes, NULL);
        }
    }
    png_read_end(reader->png, reader->info);
    return 1;
}

const uint8_t *shim_png_exif(ShimPNGReader *reader, size_t *count) {
    png_uint_32 exif_count = 0;
    png_bytep exif = NULL;
    if (png_get_eXIf_1(reader->png, reader->info, &exif_count, &exif) == 0) {
        return NULL;
    }
    *count = exif_count;
    return exif;
}

const uint8_t *shim_png_xmp(ShimPNGReader *reader, size_t *count) {
    png_textp texts = NULL;
    int found = png_get_text(reader->png, reader->info, &texts, NULL);
    for (int i = 0; i < found; i++) {
        if (texts[i].compression >= PNG_ITXT_COMPRESSION_NONE && strcmp(texts[i].key, SHIM_PNG_XMP) == 0) {
            *count = texts[i].itxt_length;
            return (const uint8_t *)texts[i].text;
        }
    }
    return NULL;
}

void shim_png_close(ShimPNGReader *reader) {
    if (reader == NULL) {
        return;
    }
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader);
}
