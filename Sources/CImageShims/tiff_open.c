#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiff_reader.h"

static tmsize_t read_block(thandle_t handle, void *target, tmsize_t wanted) {
    ShimTIFFReader *reader = handle;
    if (wanted <= 0 || reader->position >= reader->count) {
        return 0;
    }
    size_t left = reader->count - (size_t)reader->position;
    size_t count = (size_t)wanted < left ? (size_t)wanted : left;
    memcpy(target, reader->bytes + reader->position, count);
    reader->position += count;
    return (tmsize_t)count;
}

static tmsize_t refuse_write(thandle_t handle, void *source, tmsize_t count) {
    (void)handle, (void)source, (void)count;
    return 0;
}

static toff_t seek_block(thandle_t handle, toff_t offset, int whence) {
    ShimTIFFReader *reader = handle;
    uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->position : reader->count;
    reader->position = base + offset;
    return reader->position;
}

static int close_block(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t block_size(thandle_t handle) {
    return ((ShimTIFFReader *)handle)->count;
}

static int map_block(thandle_t handle, void **base, toff_t *size) {
    ShimTIFFReader *reader = handle;
    // libtiff only reads through this pointer; its type merely lacks `const`.
    *base = (void *)(uintptr_t)reader->bytes;
    *size = reader->count;
    return 1;
}

static void unmap_block(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)module;
    ShimTIFFReader *reader = user;
    char text[sizeof reader->failure->text];
    vsnprintf(text, sizeof text, format, arguments);
    int code = strstr(text, "not implemented") || strstr(text, "not configured") || strstr(text, "can not handle")
        ? SHIM_UNSUPPORTED : SHIM_MALFORMED;
    if (strstr(text, "emory limit") != NULL) {
        code = SHIM_TOO_LARGE;
    }
    shim_fail(reader->failure, code, "%s", text);
    return 1;
}

/// libjpeg inside libtiff reports damage as a warning and invents the missing pixels.
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    ShimTIFFReader *reader = user;
    if (reader->reading_pixels && (strstr(format, "Corrupt") != NULL || strstr(format, "Premature") != NULL ||
                                   strcmp(format, "%s") == 0)) {
        char text[sizeof reader->failure->text];
        vsnprintf(text, sizeof text, format, arguments);
        if (strstr(text, "Corrupt") != NULL || strstr(text, "Premature") != NULL) {
            shim_fail(reader->failure, SHIM_MALFORMED, "%s", text);
        }
    }
    (void)tiff, (void)module;
    return 1;
}

static TIFF *open_block(ShimTIFFReader *reader) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        return NULL;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)reader->memory_limit);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, reader);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, reader);
    TIFF *tiff = TIFFClientOpenExt(
        "image", "r", reader, read_block, refuse_write, seek_block, close_block, block_size, map_block, unmap_block,
        options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/// Moves to the first image that is neither a thumbnail nor a mask; stays at the first one when there is none.
static int select_page(ShimTIFFReader *reader) {
    reader->info.pages = 0;
    do {
        uint32_t kind = 0;
        TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_SUBFILETYPE, &kind);
        reader->info.pages++;
        if ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0) {
            reader->info.pages = (int)TIFFNumberOfDirectories(reader->tiff);
            return 1;
        }
    } while (reader->info.pages < 64 && TIFFReadDirectory(reader->tiff));
    return TIFFSetDirectory(reader->tiff, 0);
}

/// Palettes made by old programs hold 8-bit values; others mostly hold 8-bit values times 256 or 257.
static void measure_palette(ShimTIFFReader *reader) {
    ShimSampleLayout *layout = &reader->layout;
    const uint16_t *maps[3] = {layout->red, layout->green, layout->blue};
    int small = 1, multiples = 1;
    for (int c = 0; c < 3; c++) {
        for (size_t i = 0; i < (size_t)1 << layout->bits; i++) {
            small &= maps[c][i] < 256;
            multiples &= maps[c][i] % 257 == 0 || maps[c][i] % 256 == 0;
        }
    }
    layout->palette_is_8bit = small;
    layout->out_bits = small || multiples ? 8 : 16;
}

static int describe_depth(ShimTIFFReader *reader, uint16_t format) {
    ShimSampleLayout *layout = &reader->layout;
    int bits = layout->bits;
    if (format == SAMPLEFORMAT_IEEEFP) {
        layout->is_float = 1;
        layout->out_bits = 32;
        return bits == 16 || bits == 32 || bits == 64
            ? 1 : shim_fail(reader->failure, SHIM_UNSUPPORTED, "%d-bit floating point", bits);
    }
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
        const char *name = format == SAMPLEFORMAT_INT ? "signed integer" : "complex";
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "%s samples", name);
    }
    if (bits < 1 || (bits > 16 && bits != 24 && bits != 32)) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "%d-bit integer samples", bits);
    }
    layout->out_bits = bits <= 8 ? 8 : 16;
    return 1;
}

/// libtiff checks the depth of CMYK only when it is about to convert.
static int describe_converted(ShimTIFFReader *reader, uint16_t photometric) {
    char text[1024];
    if (photometric == PHOTOMETRIC_SEPARATED && reader->layout.bits != 8) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "%d-bit CMYK", reader->layout.bits);
    }
    if (!TIFFRGBAImageOK(reader->tiff, text)) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "%s", text);
    }
    reader->info.converted = 1;
    reader->info.colour_channels = photometric == PHOTOMETRIC_LOGL ? 1 : 3;
    reader->info.bits = 8;
    uint16_t extras = 0, *kinds = NULL;
    TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds);
    return extras == 0 ? 1 : shim_fail(reader->failure, SHIM_UNSUPPORTED, "alpha beside a converted colour space");
}

static int describe_extras(ShimTIFFReader *reader) {
    int extra = reader->samples_per_pixel - reader->info.colour_channels;
    if (extra < 0) {
        return shim_fail(reader->failure, SHIM_MALFORMED, "too few samples for its colour space");
    }
    if (extra > SHIM_TIFF_MAX_EXTRA) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "%d samples in a pixel", reader->samples_per_pixel);
    }
    uint16_t declared = 0, *kinds = NULL;
    TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_EXTRASAMPLES, &declared, &kinds);
    reader->info.extra_channels = extra;
    for (int i = 0; i < extra; i++) {
        reader->info.extra_kinds[i] = i < declared && kinds[i] <= 2 ? kinds[i] : EXTRASAMPLE_UNSPECIFIED;
    }
    return 1;
}

static int describe_palette(ShimTIFFReader *reader) {
    ShimSampleLayout *layout = &reader->layout;
    uint16_t *red, *green, *blue;
    if (reader->samples_per_pixel != 1 || layout->bits > 16 || layout->is_float) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "a palette with %d samples in a pixel",
                         reader->samples_per_pixel);
    }
    if (!TIFFGetField(reader->tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
        return shim_fail(reader->failure, SHIM_MALFORMED, "the palette is missing");
    }
    layout->red = red;
    layout->green = green;
    layout->blue = blue;
    measure_palette(reader);
    reader->info.colour_channels = 3;
    reader->info.bits = layout->out_bits;
    return 1;
}

static int describe_colour(ShimTIFFReader *reader, uint16_t compression, uint16_t photometric, uint16_t format) {
    int jpeg_colour = compression == COMPRESSION_JPEG && photometric == PHOTOMETRIC_YCBCR && !reader->separate;
    if (jpeg_colour) {
        TIFFSetField(reader->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    int direct = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE ||
        photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_PALETTE || jpeg_colour;
    if (compression == COMPRESSION_OJPEG || !direct) {
        return describe_converted(reader, photometric);
    }
    if (!describe_depth(reader, format)) {
        return 0;
    }
    if (photometric == PHOTOMETRIC_PALETTE) {
        return describe_palette(reader);
    }
    int grey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    reader->info.colour_channels = grey ? 1 : 3;
    reader->info.bits = reader->layout.out_bits;
    reader->layout.invert = photometric == PHOTOMETRIC_MINISWHITE;
    if (reader->layout.invert && (reader->layout.is_float || reader->samples_per_pixel != 1)) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "0 is white in floating point or beside extra samples");
    }
    return describe_extras(reader);
}

static int describe(ShimTIFFReader *reader) {
    TIFF *tiff = reader->tiff;
    uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
    uint16_t compression = COMPRESSION_NONE, photometric, orientation = 1;
    if (!select_page(reader)) {
        return 0;
    }
    if (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &reader->info.width) ||
        !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &reader->info.height)) {
        return shim_fail(reader->failure, SHIM_MALFORMED, "the image size is missing");
    }
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric)) {
        photometric = samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    }
    if (!TIFFIsCODECConfigured(compression)) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "TIFF compression %d", compression);
    }
    reader->info.source_bits = bits;
    reader->info.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    reader->layout.bits = bits;
    reader->samples_per_pixel = samples;
    reader->separate = planar == PLANARCONFIG_SEPARATE && samples > 1;
    uint32_t profile_count = 0;
    void *profile = NULL;
    if (TIFFGetField(tiff, TIFFTAG_ICCPROFILE, &profile_count, &profile)) {
        reader->info.profile = profile;
        reader->info.profile_count = profile_count;
    }
    uint32_t xmp_count = 0;
    void *xmp = NULL;
    if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &xmp_count, &xmp)) {
        reader->info.xmp = xmp;
        reader->info.xmp_count = xmp_count;
    }
    return describe_colour(reader, compression, photometric, format);
}

ShimTIFFReader *shim_tiff_open(
    const void *bytes, size_t count, size_t memory_limit, ShimTIFFInfo *info, ShimFailure *failure) {
    ShimTIFFReader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    ShimFailure messages = {0};
    reader->bytes = bytes;
    reader->count = count;
    reader->memory_limit = memory_limit;
    reader->failure = &messages;
    reader->tiff = open_block(reader);
    if (reader->tiff == NULL || !describe(reader)) {
        shim_fail(&messages, SHIM_MALFORMED, "its directory cannot be read");
        *failure = messages;
        shim_tiff_close(reader);
        return NULL;
    }
    // Complaints about tags that the image does not need are no failure.
    reader->failure = failure;
    *info = reader->info;
    return reader;
}

void shim_tiff_close(ShimTIFFReader *reader) {
    if (reader == NULL) {
        return;
    }
    ShimFailure ignored = {0};
    reader->failure = &ignored;
    if (reader->tiff != NULL) {
        TIFFClose(reader->tiff);
    }
    free(reader);
}
