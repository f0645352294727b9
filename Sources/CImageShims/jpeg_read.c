// jpeglib.h needs these two before it.
#include <stddef.h>
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "shim_jpeg.h"

struct ShimJPEGReader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    JOCTET *profile;
    ShimFailure *failure;
};

/// A progressive file of a few kilobytes can ask for thousands of passes over a huge image.
static const int scan_limit = 500;

static void on_error(j_common_ptr common) {
    ShimJPEGReader *reader = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    int code = SHIM_MALFORMED;
    switch (common->err->msg_code) {
        case JERR_OUT_OF_MEMORY: code = SHIM_NO_MEMORY; break;
        case JERR_BAD_PRECISION:
        case JERR_SOF_UNSUPPORTED:
        case JERR_CONVERSION_NOTIMPL:
        case JERR_NOT_COMPILED: code = SHIM_UNSUPPORTED; break;
        default: break;
    }
    shim_fail(reader->failure, code, "%s", text);
    longjmp(reader->escape, 1);
}

/// Level -1 is damage that libjpeg repairs by inventing pixels; a few of these messages concern only headers.
static void on_message(j_common_ptr common, int level) {
    if (level >= 0) {
        return;
    }
    switch (common->err->msg_code) {
        case JWRN_ADOBE_XFORM:
        case JWRN_JFIF_MAJOR:
        case JWRN_EXTRANEOUS_DATA:
        case JWRN_BOGUS_ICC: return;
        default: on_error(common);
    }
}

static void on_output(j_common_ptr common) {
    (void)common;
}

static void on_progress(j_common_ptr common) {
    ShimJPEGReader *reader = common->client_data;
    if (reader->jpeg.input_scan_number > scan_limit) {
        shim_fail(reader->failure, SHIM_MALFORMED, "more than %d scans", scan_limit);
        longjmp(reader->escape, 1);
    }
}

/// What follows the first `count` bytes in the first APP1 segment that begins with them; NULL where there is none.
static const uint8_t *find_segment(ShimJPEGReader *reader, const char *prefix, size_t count, size_t *found) {
    for (jpeg_saved_marker_ptr marker = reader->jpeg.marker_list; marker != NULL; marker = marker->next) {
        if (marker->marker == JPEG_APP0 + 1 && marker->data_length > count &&
            memcmp(marker->data, prefix, count) == 0) {
            *found = marker->data_length - count;
            return marker->data + count;
        }
    }
    return NULL;
}

static int read_header(ShimJPEGReader *reader, const void *bytes, size_t count, ShimJPEGInfo *info) {
    jpeg_create_decompress(&reader->jpeg);
    reader->jpeg.client_data = reader;
    reader->jpeg.progress = &reader->progress;
    jpeg_mem_src(&reader->jpeg, bytes, count);
    jpeg_save_markers(&reader->jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_save_markers(&reader->jpeg, JPEG_APP0 + 2, 0xFFFF);
    jpeg_read_header(&reader->jpeg, TRUE);
    info->width = reader->jpeg.image_width;
    info->height = reader->jpeg.image_height;
    J_COLOR_SPACE space = reader->jpeg.jpeg_color_space;
    if (space != JCS_GRAYSCALE && space != JCS_RGB && space != JCS_YCbCr) {
        return shim_fail(reader->failure, SHIM_UNSUPPORTED, "it holds CMYK or unknown colour");
    }
    info->colour_channels = space == JCS_GRAYSCALE ? 1 : 3;
    unsigned profile_count = 0;
    if (jpeg_read_icc_profile(&reader->jpeg, &reader->profile, &profile_count)) {
        info->profile = reader->profile;
        info->profile_count = profile_count;
    }
    info->exif = find_segment(reader, SHIM_JPEG_EXIF, sizeof SHIM_JPEG_EXIF, &info->exif_count);
    info->xmp = find_segment(reader, SHIM_JPEG_XMP, sizeof SHIM_JPEG_XMP, &info->xmp_count);
    return 1;
}

ShimJPEGReader *shim_jpeg_open(const void *bytes, size_t count, ShimJPEGInfo *info, ShimFailure *failure) {
    memset(info, 0, sizeof *info);
    ShimJPEGReader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    reader->failure = failure;
    reader->jpeg.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.emit_message = on_message;
    reader->errors.output_message = on_output;
    reader->progress.progress_monitor = on_progress;
    // jpeg_create_decompress keeps client_data, and may fail itself.
    reader->jpeg.client_data = reader;
    if (setjmp(reader->escape) != 0 || !read_header(reader, bytes, count, info)) {
        shim_jpeg_close(reader);
        return NULL;
    }
    return reader;
}

int shim_jpeg_read(ShimJPEGReader *reader, uint8_t *pixels, size_t row_bytes, ShimFailure *failure) {
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    reader->failure = failure;
    if (setjmp(reader->escape) != 0) {
        return 0;
    }
    jpeg->out_color_space = jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(jpeg);
    if ((size_t)jpeg->output_width * (size_t)jpeg->output_components != row_bytes) {
        return shim_fail(failure, SHIM_INTERNAL, "libjpeg decodes rows of another size than announced");
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = pixels + (size_t)jpeg->output_scanline * row_bytes;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return 1;
}

void shim_jpeg_close(ShimJPEGReader *reader) {
    if (reader == NULL) {
        return;
    }
    jpeg_destroy_decompress(&reader->jpeg);
    free(reader->profile);
    free(reader);
}
