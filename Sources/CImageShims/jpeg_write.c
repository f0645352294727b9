// jpeglib.h needs these two before it.
#include <stddef.h>
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "shim_jpeg.h"
#include "sink.h"

struct ShimJPEGWriter {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr destination;
    jmp_buf escape;
    int file;
    ShimFailure *failure;
    JOCTET buffer[1 << 16];
};

static void on_error(j_common_ptr common) {
    ShimJPEGWriter *writer = common->client_data;
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    shim_fail(writer->failure, SHIM_INTERNAL, "%s", text);
    longjmp(writer->escape, 1);
}

static void on_message(j_common_ptr common, int level) {
    (void)common;
    (void)level;
}

static void reset(j_compress_ptr jpeg) {
    ShimJPEGWriter *writer = jpeg->client_data;
    writer->destination.next_output_byte = writer->buffer;
    writer->destination.free_in_buffer = sizeof writer->buffer;
}

static void drain(ShimJPEGWriter *writer, size_t count) {
    if (!shim_write_all(writer->file, writer->buffer, count, writer->failure)) {
        longjmp(writer->escape, 1);
    }
}

static boolean on_full(j_compress_ptr jpeg) {
    ShimJPEGWriter *writer = jpeg->client_data;
    drain(writer, sizeof writer->buffer);
    reset(jpeg);
    return TRUE;
}

static void on_end(j_compress_ptr jpeg) {
    ShimJPEGWriter *writer = jpeg->client_data;
    drain(writer, sizeof writer->buffer - writer->destination.free_in_buffer);
}

static void write_segment(
    ShimJPEGWriter *writer, const char *prefix, size_t prefix_count, const uint8_t *block, size_t count) {
    // A segment holds 65,533 bytes; a larger block cannot be stored in a JPEG at all.
    if (block == NULL || count > 65533 - prefix_count) {
        return;
    }
    jpeg_write_m_header(&writer->jpeg, JPEG_APP0 + 1, (unsigned)(count + prefix_count));
    for (size_t i = 0; i < prefix_count; i++) {
        jpeg_write_m_byte(&writer->jpeg, prefix[i]);
    }
    for (size_t i = 0; i < count; i++) {
        jpeg_write_m_byte(&writer->jpeg, block[i]);
    }
}

static void write_header(ShimJPEGWriter *writer, const ShimJPEGInfo *info, int quality) {
    struct jpeg_compress_struct *jpeg = &writer->jpeg;
    jpeg_create_compress(jpeg);
    jpeg->client_data = writer;
    jpeg->dest = &writer->destination;
    jpeg->image_width = info->width;
    jpeg->image_height = info->height;
    jpeg->input_components = info->colour_channels;
    jpeg->in_color_space = info->colour_channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->comp_info[0].h_samp_factor = 1;
    jpeg->comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(jpeg, TRUE);
    write_segment(writer, SHIM_JPEG_EXIF, sizeof SHIM_JPEG_EXIF, info->exif, info->exif_count);
    write_segment(writer, SHIM_JPEG_XMP, sizeof SHIM_JPEG_XMP, info->xmp, info->xmp_count);
    if (info->profile != NULL) {
        jpeg_write_icc_profile(jpeg, info->profile, (unsigned)info->profile_count);
    }
}

ShimJPEGWriter *shim_jpeg_create(int file, const ShimJPEGInfo *info, int quality, ShimFailure *failure) {
    ShimJPEGWriter *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
        return NULL;
    }
    writer->file = file;
    writer->failure = failure;
    writer->jpeg.err = jpeg_std_error(&writer->errors);
    writer->errors.error_exit = on_error;
    writer->errors.emit_message = on_message;
    writer->destination.init_destination = reset;
    writer->destination.empty_output_buffer = on_full;
    writer->destination.term_destination = on_end;
    writer->jpeg.client_data = writer;
    if (setjmp(writer->escape) != 0) {
        shim_jpeg_finish(writer, 0, failure);
        return NULL;
    }
    write_header(writer, info, quality);
    return writer;
}

int shim_jpeg_write_row(ShimJPEGWriter *writer, const uint8_t *row, ShimFailure *failure) {
    writer->failure = failure;
    if (setjmp(writer->escape) != 0) {
        return 0;
    }
    // libjpeg only reads the row; its parameter merely lacks `const`.
    JSAMPROW rows[1] = {(JSAMPROW)(uintptr_t)row};
    jpeg_write_scanlines(&writer->jpeg, rows, 1);
    return 1;
}

int shim_jpeg_finish(ShimJPEGWriter *writer, int complete, ShimFailure *failure) {
    writer->failure = failure;
    // Set between setjmp and a possible long jump, hence volatile.
    volatile int written = 0;
    if (complete && setjmp(writer->escape) == 0) {
        jpeg_finish_compress(&writer->jpeg);
        written = 1;
    }
    jpeg_destroy_compress(&writer->jpeg);
    free(writer);
    return written;
}
