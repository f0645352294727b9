#define _GNU_SOURCE
#include "shim_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int shim_rename_without_replacing(int folder, const char *from, const char *to) {
    if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) {
        return -1;
    }
    if (linkat(folder, from, folder, to, 0) != 0) {
        return -1;
    }
    return unlinkat(folder, from, 0);
}
