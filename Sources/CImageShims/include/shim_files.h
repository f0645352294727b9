#pragma once

/// Renames within one folder and never replaces: -1 with errno EEXIST when `to` exists. File systems without
/// renameat2's RENAME_NOREPLACE get link and unlink, which refuses an existing name as well.
int shim_rename_without_replacing(int folder, const char *from, const char *to);

#include <stddef.h>
#include <sys/types.h>

/// Room of `size` bytes in the file system of `folder`: a file without a name, gone when it is closed. Its descriptor, or
/// -1 with errno.
int shim_files_reserve(const char *folder, off_t size);

/// Keeps `size` bytes beside a file that are no part of its content (xattr(7)). 0 or -1 with errno.
int shim_note_write(const char *path, const void *bytes, size_t size);
/// Takes them up again, at most `size` of them; links are not followed. Their number, or -1 with errno.
ssize_t shim_note_read(const char *path, void *bytes, size_t size);
