#include "shim_raw.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <libraw/libraw.h>
#include <memory>
#include <new>

struct ShimRAWReader {
    LibRaw raw;
    int data_errors = 0;
};

namespace {

void on_data_error(void *data, const char *, const int) {
    static_cast<ShimRAWReader *>(data)->data_errors++;
}

int code_of(int error) {
    switch (error) {
        case LIBRAW_UNSUFFICIENT_MEMORY: return SHIM_NO_MEMORY;
        case LIBRAW_TOO_BIG: return SHIM_TOO_LARGE;
        case LIBRAW_FILE_UNSUPPORTED:
        case LIBRAW_NOT_IMPLEMENTED: return SHIM_UNSUPPORTED;
        default: return SHIM_MALFORMED;
    }
}

int check(int error, ShimFailure *failure) {
    if (error == LIBRAW_SUCCESS) {
        return 1;
    }
    // Positive numbers are errno values, which LibRaw passes through.
    return shim_fail(failure, code_of(error), "LibRaw: %s", error > 0 ? "system error" : libraw_strerror(error));
}

/// Runs `work` and turns whatever it throws into a failure.
template <typename Work> int guarded(ShimFailure *failure, Work work) {
    try {
        return work();
    } catch (const std::bad_alloc &) {
        return shim_fail(failure, SHIM_NO_MEMORY, "memory is exhausted");
    } catch (const std::exception &error) {
        return shim_fail(failure, SHIM_INTERNAL, "LibRaw: %s", error.what());
    } catch (...) {
        return shim_fail(failure, SHIM_INTERNAL, "LibRaw failed without a reason");
    }
}

/// One rendering for every camera: camera white balance, sRGB primaries and curve, AHD, no brightening by content.
void choose_rendering(libraw_output_params_t &parameters, size_t memory_limit) {
    parameters.output_bps = 16;
    parameters.output_color = 1;
    parameters.gamm[0] = 1 / 2.4;
    parameters.gamm[1] = 12.92;
    parameters.no_auto_bright = 1;
    parameters.use_camera_wb = 1;
    parameters.user_qual = 3;
    parameters.user_flip = -1;
    parameters.max_raw_memory_mb = static_cast<unsigned>(std::min<size_t>(memory_limit >> 20, 1u << 20));
}

/// LibRaw takes a file without any signature for a camera's whose files happen to have its size. Formats that are
/// recognised by content alone are recognised one byte shorter as well; those with a directory at the end, which are
/// not, have signatures.
bool is_guessed_by_size(const void *bytes, size_t count, size_t memory_limit) {
    static const char *const signatures[] = {"II", "MM", "FOVb", "FUJIFILM"};
    for (const char *signature : signatures) {
        size_t length = std::strlen(signature);
        if (count > length && std::memcmp(bytes, signature, length) == 0) {
            return false;
        }
    }
    auto shorter = std::make_unique<ShimRAWReader>();
    shorter->raw.set_dataerror_handler(on_data_error, shorter.get());
    choose_rendering(shorter->raw.imgdata.params, memory_limit);
    return shorter->raw.open_buffer(const_cast<void *>(bytes), count - 1) != LIBRAW_SUCCESS;
}

/// Whether the lowest sixteenth of the picture, or more, is exactly zero, which no sensor measures. LibRaw reports no
/// error for tiles beyond the end of a half-copied file, nor for a file that has its size before its content.
bool ends_in_nothing(const libraw_data_t &data) {
    const libraw_rawdata_t &raw = data.rawdata;
    const ushort *samples = raw.raw_image;
    size_t channels = 1;
    if (raw.color3_image != nullptr) {
        samples = raw.color3_image[0];
        channels = 3;
    } else if (raw.color4_image != nullptr) {
        samples = raw.color4_image[0];
        channels = 4;
    }
    const libraw_image_sizes_t &sizes = raw.sizes;
    unsigned bottom = std::min<unsigned>(sizes.top_margin + sizes.height, sizes.raw_height);
    size_t columns = std::min<size_t>(sizes.width, sizes.raw_width - std::min(sizes.left_margin, sizes.raw_width));
    size_t needed = (sizes.left_margin + columns) * channels * sizeof(ushort);
    if (samples == nullptr || columns == 0 || sizes.height < 16 || bottom < sizes.height || sizes.raw_pitch < needed) {
        return false;
    }
    for (unsigned row = bottom - sizes.height / 16; row < bottom; row++) {
        const ushort *line = samples + row * (sizes.raw_pitch / sizeof(ushort)) + sizes.left_margin * channels;
        if (std::any_of(line, line + columns * channels, [](ushort sample) { return sample != 0; })) {
            return false;
        }
    }
    return true;
}

void copy_text(char *target, size_t capacity, const char *source) {
    std::snprintf(target, capacity, "%s", source);
}

double degrees(const float (&parts)[3]) {
    return parts[0] + parts[1] / 60.0 + parts[2] / 3600.0;
}

void describe_location(const libraw_gps_info_t &gps, ShimRAWInfo *info) {
    if (!gps.gpsparsed || gps.latref == 0 || gps.longref == 0) {
        return;
    }
    info->has_location = 1;
    info->latitude = degrees(gps.latitude) * (gps.latref == 'S' ? -1 : 1);
    info->longitude = degrees(gps.longitude) * (gps.longref == 'W' ? -1 : 1);
    info->altitude = gps.altitude * (gps.altref == 1 ? -1 : 1);
}

void describe(const libraw_data_t &data, ShimRAWInfo *info) {
    bool sideways = (data.sizes.flip & 4) != 0;
    info->width = sideways ? data.sizes.height : data.sizes.width;
    info->height = sideways ? data.sizes.width : data.sizes.height;
    info->raw_width = data.sizes.raw_width;
    info->raw_height = data.sizes.raw_height;
    info->bits = static_cast<int>(data.color.raw_bps);
    copy_text(info->make, sizeof info->make, data.idata.make);
    copy_text(info->model, sizeof info->model, data.idata.model);
    copy_text(info->lens, sizeof info->lens, data.lens.Lens);
    info->iso = data.other.iso_speed;
    info->exposure = data.other.shutter;
    info->aperture = data.other.aperture;
    describe_location(data.other.parsed_gps, info);
    // LibRaw read the camera's clock as local time; the same zone turns it back.
    time_t timestamp = data.other.timestamp;
    struct tm local;
    if (timestamp > 0 && localtime_r(&timestamp, &local) != nullptr) {
        std::strftime(info->captured_at, sizeof info->captured_at, "%Y:%m:%d %H:%M:%S", &local);
    }
}

}  // namespace

ShimRAWReader *shim_raw_open(
    const void *bytes, size_t count, size_t memory_limit, ShimRAWInfo *info, ShimFailure *failure) {
    std::memset(info, 0, sizeof *info);
    ShimRAWReader *opened = nullptr;
    guarded(failure, [&] {
        auto reader = std::make_unique<ShimRAWReader>();
        reader->raw.set_dataerror_handler(on_data_error, reader.get());
        choose_rendering(reader->raw.imgdata.params, memory_limit);
        // LibRaw only reads the block; its parameter merely lacks `const`.
        if (!check(reader->raw.open_buffer(const_cast<void *>(bytes), count), failure)) {
            return 0;
        }
        if (is_guessed_by_size(bytes, count, memory_limit)) {
            return shim_fail(failure, SHIM_UNSUPPORTED, "nothing but its size resembles a camera's file");
        }
        describe(reader->raw.imgdata, info);
        opened = reader.release();
        return 1;
    });
    return opened;
}

int shim_raw_develop(ShimRAWReader *reader, uint32_t *width, uint32_t *height, int *channels, ShimFailure *failure) {
    return guarded(failure, [&] {
        if (!check(reader->raw.unpack(), failure)) {
            return 0;
        }
        if (reader->data_errors > 0 || ends_in_nothing(reader->raw.imgdata)) {
            return shim_fail(failure, SHIM_MALFORMED, "the sensor data are damaged or end too early");
        }
        if (!check(reader->raw.dcraw_process(), failure)) {
            return 0;
        }
        int columns = 0, rows = 0, colours = 0, bits = 0;
        reader->raw.get_mem_image_format(&columns, &rows, &colours, &bits);
        if (columns <= 0 || rows <= 0 || bits != 16) {
            return shim_fail(failure, SHIM_MALFORMED, "LibRaw developed no image");
        }
        if (colours != 1 && colours != 3) {
            return shim_fail(failure, SHIM_UNSUPPORTED, "a sensor with %d colours", colours);
        }
        *width = static_cast<uint32_t>(columns);
        *height = static_cast<uint32_t>(rows);
        *channels = colours;
        return 1;
    });
}

int shim_raw_copy(ShimRAWReader *reader, uint16_t *pixels, size_t row_bytes, ShimFailure *failure) {
    return guarded(failure, [&] {
        return check(reader->raw.copy_mem_image(pixels, static_cast<int>(row_bytes), 0), failure);
    });
}

void shim_raw_close(ShimRAWReader *reader) {
    ShimFailure ignored{};
    guarded(&ignored, [&] {
        delete reader;
        return 1;
    });
}
