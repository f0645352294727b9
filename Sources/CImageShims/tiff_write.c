#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "shim_tiff.h"
#include "sink.h"

struct ShimTIFFWriter {
    TIFF *tiff;
    int file;
    /// Rows of the strip in work: libtiff compresses whole strips several times faster than single rows, since only
    /// those go to libdeflate.
    uint8_t *strip;
    uint32_t strip_rows, filled_rows, strip_index;
    size_t row_bytes;
    ShimFailure *failure;
};

static tmsize_t read_file(thandle_t handle, void *target, tmsize_t count) {
    return read(((ShimTIFFWriter *)handle)->file, target, (size_t)count);
}

static tmsize_t write_file(thandle_t handle, void *source, tmsize_t count) {
    ShimTIFFWriter *writer = handle;
    return shim_write_all(writer->file, source, (size_t)count, writer->failure) ? count : -1;
}

static toff_t seek_file(thandle_t handle, toff_t offset, int whence) {
    return (toff_t)lseek(((ShimTIFFWriter *)handle)->file, (off_t)offset, whence);
}

/// The descriptor belongs to the caller, who must sync and close it.
static int leave_open(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t file_size(thandle_t handle) {
    struct stat status;
    return fstat(((ShimTIFFWriter *)handle)->file, &status) == 0 ? (toff_t)status.st_size : 0;
}

static int refuse_map(thandle_t handle, void **base, toff_t *size) {
    (void)handle, (void)base, (void)size;
    return 0;
}

static void unmap(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)module;
    char text[200];
    vsnprintf(text, sizeof text, format, arguments);
    shim_fail(((ShimTIFFWriter *)user)->failure, SHIM_INTERNAL, "%s", text);
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}

static uint64_t row_size(const ShimTIFFInfo *info) {
    uint64_t channels = (uint64_t)(info->colour_channels + info->extra_channels);
    return info->width * channels * (uint64_t)(info->bits / 8);
}

static TIFF *open_file(ShimTIFFWriter *writer, const ShimTIFFInfo *info) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        return NULL;
    }
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, writer);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, writer);
    // Offsets of a classic TIFF end at 4 GiB; deflate may enlarge noise slightly.
    int big = row_size(info) * info->height > 4000000000u;
    TIFF *tiff = TIFFClientOpenExt(
        "image", big ? "w8" : "w", writer, read_file, write_file, seek_file, leave_open, file_size, refuse_map, unmap,
        options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static void set_text(TIFF *tiff, uint32_t tag, const char *text) {
    if (text != NULL && text[0] != 0) {
        TIFFSetField(tiff, tag, text);
    }
}

static void set_fields(TIFF *tiff, const ShimTIFFInfo *info, const ShimTIFFCamera *camera) {
    int is_float = info->bits == 32;
    uint32_t rows = (uint32_t)(1 + (1 << 18) / row_size(info));
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, info->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, info->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, info->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, info->colour_channels + info->extra_channels);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, is_float ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, info->colour_channels == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, info->is_uncompressed ? COMPRESSION_NONE : COMPRESSION_ADOBE_DEFLATE);
    if (!info->is_uncompressed) {
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, is_float ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
    }
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows < info->height ? rows : info->height);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, info->orientation);
    if (info->extra_channels > 0) {
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, info->extra_channels, info->extra_kinds);
    }
    if (info->profile != NULL) {
        TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (uint32_t)info->profile_count, info->profile);
    }
    if (info->xmp != NULL) {
        TIFFSetField(tiff, TIFFTAG_XMLPACKET, (uint32_t)info->xmp_count, info->xmp);
    }
    set_text(tiff, TIFFTAG_MAKE, camera->make);
    set_text(tiff, TIFFTAG_MODEL, camera->model);
    set_text(tiff, TIFFTAG_DATETIME, camera->captured_at);
}

ShimTIFFWriter *shim_tiff_create(
    int file, const ShimTIFFInfo *info, const ShimTIFFCamera *camera, ShimFailure *failure) {
    ShimTIFFWriter *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    writer->file = file;
    writer->failure = failure;
    writer->tiff = open_file(writer, info);
    if (writer->tiff == NULL) {
        shim_fail(failure, SHIM_INTERNAL, "libtiff cannot start a file");
        free(writer);
        return NULL;
    }
    set_fields(writer->tiff, info, camera);
    TIFFGetField(writer->tiff, TIFFTAG_ROWSPERSTRIP, &writer->strip_rows);
    writer->row_bytes = row_size(info);
    writer->strip = malloc(writer->strip_rows * writer->row_bytes);
    if (writer->strip == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        TIFFClose(writer->tiff);
        free(writer);
        return NULL;
    }
    return writer;
}

static int write_strip(ShimTIFFWriter *writer) {
    tmsize_t bytes = (tmsize_t)(writer->filled_rows * writer->row_bytes);
    if (TIFFWriteEncodedStrip(writer->tiff, writer->strip_index, writer->strip, bytes) != bytes) {
        return shim_fail(writer->failure, SHIM_INTERNAL, "libtiff cannot write strip %u", writer->strip_index);
    }
    writer->strip_index++;
    writer->filled_rows = 0;
    return 1;
}

int shim_tiff_write_row(ShimTIFFWriter *writer, const void *row, ShimFailure *failure) {
    writer->failure = failure;
    memcpy(writer->strip + writer->filled_rows * writer->row_bytes, row, writer->row_bytes);
    writer->filled_rows++;
    return writer->filled_rows < writer->strip_rows || write_strip(writer);
}

static int has_exif(const ShimTIFFCamera *camera) {
    return camera->exposure > 0 || camera->aperture > 0 || camera->iso > 0 || camera->lens != NULL ||
        camera->captured_at != NULL;
}

static int write_exif(TIFF *tiff, const ShimTIFFCamera *camera, uint64_t *offset) {
    if (TIFFCreateEXIFDirectory(tiff) != 0) {
        return 0;
    }
    TIFFSetField(tiff, EXIFTAG_EXIFVERSION, "0232");
    if (camera->exposure > 0) {
        TIFFSetField(tiff, EXIFTAG_EXPOSURETIME, camera->exposure);
    }
    if (camera->aperture > 0) {
        TIFFSetField(tiff, EXIFTAG_FNUMBER, camera->aperture);
    }
    if (camera->iso >= 1 && camera->iso <= 65535) {
        uint16_t iso = (uint16_t)(camera->iso + 0.5);
        TIFFSetField(tiff, EXIFTAG_ISOSPEEDRATINGS, 1, &iso);
    }
    set_text(tiff, EXIFTAG_DATETIMEORIGINAL, camera->captured_at);
    set_text(tiff, EXIFTAG_LENSMODEL, camera->lens);
    return TIFFWriteCustomDirectory(tiff, offset);
}

static int write_gps(TIFF *tiff, const ShimTIFFCamera *camera, uint64_t *offset) {
    if (TIFFCreateGPSDirectory(tiff) != 0) {
        return 0;
    }
    static const uint8_t version[4] = {2, 3, 0, 0};
    char side[2] = {camera->latitude_side, 0};
    TIFFSetField(tiff, GPSTAG_VERSIONID, version);
    TIFFSetField(tiff, GPSTAG_LATITUDEREF, side);
    TIFFSetField(tiff, GPSTAG_LATITUDE, camera->latitude);
    side[0] = camera->longitude_side;
    TIFFSetField(tiff, GPSTAG_LONGITUDEREF, side);
    TIFFSetField(tiff, GPSTAG_LONGITUDE, camera->longitude);
    if (camera->has_altitude) {
        TIFFSetField(tiff, GPSTAG_ALTITUDEREF, camera->altitude < 0 ? 1 : 0);
        TIFFSetField(tiff, GPSTAG_ALTITUDE, camera->altitude < 0 ? -camera->altitude : camera->altitude);
    }
    return TIFFWriteCustomDirectory(tiff, offset);
}

/// Writes the image's directory, and those of EXIF and GPS that it points to when there is anything to say.
static int write_directories(TIFF *tiff, const ShimTIFFCamera *camera) {
    uint64_t exif = 0, gps = 0;
    if (!TIFFWriteDirectory(tiff) || (has_exif(camera) && !write_exif(tiff, camera, &exif)) ||
        (camera->has_location && !write_gps(tiff, camera, &gps))) {
        return 0;
    }
    if (exif == 0 && gps == 0) {
        return 1;
    }
    return TIFFSetDirectory(tiff, 0) && (exif == 0 || TIFFSetField(tiff, TIFFTAG_EXIFIFD, exif)) &&
        (gps == 0 || TIFFSetField(tiff, TIFFTAG_GPSIFD, gps)) && TIFFRewriteDirectory(tiff);
}

int shim_tiff_finish(ShimTIFFWriter *writer, int complete, const ShimTIFFCamera *camera, ShimFailure *failure) {
    writer->failure = failure;
    int written = complete && (writer->filled_rows == 0 || write_strip(writer));
    if (written && !write_directories(writer->tiff, camera)) {
        written = shim_fail(failure, SHIM_INTERNAL, "libtiff cannot write the directory");
    }
    // Closing flushes what an incomplete image left behind; the caller discards that file.
    TIFFClose(writer->tiff);
    free(writer->strip);
    free(writer);
    return written && failure->code == 0;
}
