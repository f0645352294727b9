#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Memory that processes can share: an anonymous file of `size` bytes, all zero, closed on exec. -1 with errno.
int shim_memory_create(size_t size);
/// Fixes the size for ever, and with `contents` the bytes too; no mapping may be writable then. 0 or -1 with errno.
int shim_memory_seal(int memory, int contents);
/// Gives a range of the memory back to the system. It reads as zero afterwards.
void shim_memory_release(int memory, off_t offset, off_t count);

/// A pipe that is closed on exec: first its end for reading, then that for writing. 0 or -1 with errno.
int shim_pipe(int ends[2]);

/// Descriptors of a decoder process; it has no others.
enum { SHIM_CHILD_INPUT = 0, SHIM_CHILD_REPLY = 1, SHIM_CHILD_PIXELS = 3 };

/// Starts `executable` with an environment of its own, no signal blocked, and these descriptors only; what it says on
/// standard error is dropped. Returns its process number, or -1 with errno.
pid_t shim_child_start(const char *executable, char *const *arguments, int input, int reply, int pixels);

/// Walls around a process that decodes foreign bytes, each complete by itself.
enum {
    SHIM_WALL_LANDLOCK = 1,  ///< No file can be opened, made, renamed or removed; no process be signalled or traced.
    SHIM_WALL_SECCOMP = 2,   ///< Nor can anything be executed, forked or connected to, nor most of the kernel be reached.
};

/// Takes from this process, for ever, whatever decoding does not need: core files, new privileges, files, children,
/// network. Memory mapped from now on is limited to `memory` bytes, processor time to `seconds`.
///
/// To be called before any other thread exists, since Landlock confines only the calling one.
///
/// @param parent the process that started this one; if it has gone, -1 is returned.
/// @return the walls that stand.
int shim_confine(uint64_t memory, unsigned seconds, pid_t parent);

/// Tries what a confined process must not be able to do, and returns how much of it worked.
int shim_confine_probe(void);

/// "LibRaw 0.20.2, libtiff 4.5.0, libpng 1.6.39, libjpeg-turbo 2.1.5".
const char *shim_library_versions(void);

#ifdef __cplusplus
}
#endif
