#define _GNU_SOURCE
#include "sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int shim_write_all(int file, const void *bytes, size_t count, ShimFailure *failure) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t written = write(file, next, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            int number = written < 0 ? errno : EIO;
            shim_fail(failure, SHIM_IO, "%s", strerrordesc_np(number));
            failure->number = number;
            return 0;
        }
        next += written;
        count -= (size_t)written;
    }
    return 1;
}
