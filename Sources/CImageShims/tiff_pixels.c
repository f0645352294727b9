#include <stdlib.h>
#include <string.h>

#include "tiff_reader.h"

/// Where the samples of one row of one plane go, and how many there are.
typedef struct {
    ShimTIFFReader *reader;
    uint8_t *pixels;
    size_t row_bytes;
    uint16_t plane;
} Target;

static void store(const Target *target, const uint8_t *source, uint32_t row, uint32_t column, uint32_t columns) {
    const ShimTIFFReader *reader = target->reader;
    const ShimSampleLayout *layout = &reader->layout;
    size_t channels = (size_t)(reader->info.colour_channels + reader->info.extra_channels);
    size_t sample_bytes = (size_t)layout->out_bits / 8;
    uint8_t *out = target->pixels + row * target->row_bytes + column * channels * sample_bytes;
    if (layout->red != NULL) {
        shim_unpack_palette(layout, source, columns, out);
    } else if (reader->separate) {
        shim_unpack_samples(layout, source, columns, out + target->plane * sample_bytes, channels);
    } else {
        shim_unpack_samples(layout, source, columns * channels, out, 1);
    }
}

static size_t packed_bytes(const ShimTIFFReader *reader, uint32_t columns) {
    size_t samples = reader->separate ? 1 : (size_t)reader->samples_per_pixel;
    return (columns * samples * (size_t)reader->layout.bits + 7) / 8;
}

static void *allocate(ShimTIFFReader *reader, uint64_t bytes, size_t needed) {
    if (bytes < needed) {
        shim_fail(reader->failure, SHIM_MALFORMED, "rows are shorter than the image is wide");
        return NULL;
    }
    if (bytes > reader->memory_limit) {
        shim_fail(reader->failure, SHIM_TOO_LARGE, "one row or tile needs %llu bytes", (unsigned long long)bytes);
        return NULL;
    }
    // Cleared, since some codecs leave the rest of a short row as it was.
    void *memory = calloc(1, bytes);
    if (memory == NULL) {
        shim_fail(reader->failure, SHIM_NO_MEMORY, "memory is exhausted");
    }
    return memory;
}

static int read_rows(const Target *target) {
    ShimTIFFReader *reader = target->reader;
    uint8_t *line = allocate(reader, TIFFScanlineSize64(reader->tiff), packed_bytes(reader, reader->info.width));
    int good = line != NULL;
    for (uint32_t row = 0; good && row < reader->info.height; row++) {
        good = TIFFReadScanline(reader->tiff, line, row, target->plane) == 1 && reader->failure->code == 0;
        if (good) {
            store(target, line, row, 0, reader->info.width);
        }
    }
    free(line);
    return good;
}

static int read_tiles(const Target *target) {
    ShimTIFFReader *reader = target->reader;
    uint32_t width = 0, height = 0;
    TIFFGetField(reader->tiff, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(reader->tiff, TIFFTAG_TILELENGTH, &height);
    if (width == 0 || height == 0) {
        return shim_fail(reader->failure, SHIM_MALFORMED, "its tiles are empty");
    }
    uint64_t line_bytes = TIFFTileRowSize64(reader->tiff), tile_bytes = TIFFTileSize64(reader->tiff);
    if (line_bytes < packed_bytes(reader, width) || tile_bytes / height < line_bytes) {
        return shim_fail(reader->failure, SHIM_MALFORMED, "its tiles are smaller than their size says");
    }
    uint8_t *tile = allocate(reader, tile_bytes, 1);
    int good = tile != NULL;
    for (uint64_t top = 0; good && top < reader->info.height; top += height) {
        for (uint64_t left = 0; good && left < reader->info.width; left += width) {
            good = TIFFReadTile(reader->tiff, tile, (uint32_t)left, (uint32_t)top, 0, target->plane) >= 0 &&
                reader->failure->code == 0;
            uint64_t columns = reader->info.width - left < width ? reader->info.width - left : width;
            uint64_t rows = reader->info.height - top < height ? reader->info.height - top : height;
            for (uint64_t row = 0; good && row < rows; row++) {
                store(target, tile + row * line_bytes, (uint32_t)(top + row), (uint32_t)left, (uint32_t)columns);
            }
        }
    }
    free(tile);
    return good;
}

int shim_tiff_read_converted(ShimTIFFReader *reader, uint8_t *pixels, size_t row_bytes) {
    size_t width = reader->info.width, height = reader->info.height;
    size_t channels = (size_t)reader->info.colour_channels;
    uint32_t *raster = allocate(reader, (uint64_t)width * height * sizeof *raster, 1);
    char text[1024] = "";
    TIFFRGBAImage image;
    if (raster == NULL || !TIFFRGBAImageBegin(&image, reader->tiff, 1, text)) {
        free(raster);
        return shim_fail(reader->failure, SHIM_MALFORMED, "%s", text);
    }
    // Equal orientations mean: rows as stored.
    image.req_orientation = image.orientation;
    int good = TIFFRGBAImageGet(&image, raster, (uint32_t)width, (uint32_t)height) && reader->failure->code == 0;
    TIFFRGBAImageEnd(&image);
    for (size_t row = 0; good && row < height; row++) {
        uint8_t *out = pixels + row * row_bytes;
        for (size_t column = 0; column < width; column++, out += channels) {
            uint32_t pixel = raster[row * width + column];
            out[0] = TIFFGetR(pixel);
            if (channels == 3) {
                out[1] = TIFFGetG(pixel);
                out[2] = TIFFGetB(pixel);
            }
        }
    }
    free(raster);
    return good;
}

int shim_tiff_read(ShimTIFFReader *reader, void *pixels, size_t row_bytes, ShimFailure *failure) {
    reader->failure = failure;
    reader->reading_pixels = 1;
    int good = 1;
    if (reader->info.converted) {
        good = shim_tiff_read_converted(reader, pixels, row_bytes);
    } else {
        int planes = reader->separate ? reader->samples_per_pixel : 1;
        for (int plane = 0; good && plane < planes; plane++) {
            Target target = {reader, pixels, row_bytes, (uint16_t)plane};
            good = TIFFIsTiled(reader->tiff) ? read_tiles(&target) : read_rows(&target);
        }
    }
    reader->reading_pixels = 0;
    if (!good) {
        shim_fail(failure, SHIM_MALFORMED, "its pixels cannot be read");
    }
    return good;
}
