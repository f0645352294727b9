#define _GNU_SOURCE
#include "shim_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

int shim_memory_create(size_t size) {
    int memory = memfd_create("denoised-photograph", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory >= 0 && ftruncate(memory, (off_t)size) != 0) {
        int number = errno;
        close(memory);
        errno = number;
        return -1;
    }
    return memory;
}

int shim_memory_seal(int memory, int contents) {
    return fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (contents ? F_SEAL_WRITE : 0));
}

void shim_memory_release(int memory, off_t offset, off_t count) {
    (void)fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

int shim_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

/// Descriptors are placed by copying; one that lies among the targets would be overwritten before its turn.
static int out_of_the_way(int descriptor) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, SHIM_CHILD_PIXELS + 1);
}

pid_t shim_child_start(const char *executable, char *const *arguments, int input, int reply, int pixels) {
    // One thread, so that Landlock confines all of it: OpenMP may not start others. A crash is the
    // parent's to report, and a backtrace would need rights that the process gives up.
    char *const environment[] = {
        "OMP_NUM_THREADS=1", "SWIFT_BACKTRACE=enable=no", NULL};
    int sources[] = {out_of_the_way(input), out_of_the_way(reply), out_of_the_way(pixels)};
    const int targets[] = {SHIM_CHILD_INPUT, SHIM_CHILD_REPLY, SHIM_CHILD_PIXELS};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int number = 0;
    for (int i = 0; i < 3 && number == 0; i++) {
        number = sources[i] < 0 ? EMFILE : posix_spawn_file_actions_adddup2(&actions, sources[i], targets[i]);
    }
    if (number == 0) {
        number = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    if (number == 0) {
        number = posix_spawn_file_actions_addclosefrom_np(&actions, SHIM_CHILD_PIXELS + 1);
    }
    pid_t child = -1;
    if (number == 0) {
        number = posix_spawn(&child, executable, &actions, &attributes, arguments, environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < 3; i++) {
        if (sources[i] >= 0) {
            close(sources[i]);
        }
    }
    errno = number;
    return number == 0 ? child : -1;
}
